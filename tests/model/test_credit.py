import pytest

from terrella.model.credit import NO_CREDIT, Credit, bare_doi, credit_of


def test_what_a_collection_says():
    document = {
        "sci:doi": "https://doi.org/10.24381/cds.adbb2d47",
        "sci:citation": "Hersbach et al.\n(2020)",
        "links": [
            {"rel": "license", "href": "https://example.org/l"},
            {"rel": "cite-as", "href": "https://example.org/c"},
        ],
        "providers": [
            {"name": "ECMWF", "roles": ["producer", "licensor"]},
            {"name": "Mirror", "roles": ["host"]},
            {"name": "Copernicus"},
        ],
    }
    assert credit_of(document) == Credit(
        "Hersbach et al. (2020)",
        "10.24381/cds.adbb2d47",
        "https://doi.org/10.24381/cds.adbb2d47",
        "https://example.org/l",
        ("ECMWF", "Copernicus"),
    )
    del document["sci:doi"]
    assert credit_of(document).cite_as == "https://example.org/c"


@pytest.mark.parametrize("broken", [{}, {"links": None, "providers": "x"}, {"links": ["x"], "providers": [{}]}])
def test_what_says_nothing(broken):
    assert credit_of(broken) == NO_CREDIT


@pytest.mark.parametrize(
    "href", ["https://a b", 'https://a">', "https://a\r\nX: y", "ftp://a", "javascript:a", "https://ä"]
)
def test_addresses_that_do_not_belong_in_a_header(href):
    assert credit_of({"links": [{"rel": "license", "href": href}]}).licence_href == ""


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("doi:10.5281/zenodo.1234.", "10.5281/zenodo.1234"),
        ("(see http://dx.doi.org/10.1000/a(b))", "10.1000/a(b)"),
        ("10.5", ""),
        ("", ""),
    ],
)
def test_dois_in_texts(text, doi):
    assert bare_doi(text) == doi
