"""Who asks, what they may see, how much they may use."""
