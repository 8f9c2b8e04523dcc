"""Images: rasters through GDAL, what their bands are, when they were taken, and the products that they come in."""
