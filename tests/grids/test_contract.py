"""Every kind of grid against brute force on the sphere."""

from __future__ import annotations

from terrella.testing import grids as given_grids
from terrella.testing.grids import GridSuite


class TestRegular(GridSuite):
    grids = given_grids.regular_grids()


class TestRectilinear(GridSuite):
    grids = given_grids.rectilinear_grids()


class TestProjected(GridSuite):
    grids = given_grids.projected_grids()


class TestRotated(GridSuite):
    grids = given_grids.rotated_grids()


class TestHealpix(GridSuite):
    grids = given_grids.healpix_grids()


class TestReducedGaussian(GridSuite):
    grids = given_grids.gaussian_grids()


class TestCurvilinear(GridSuite):
    grids = given_grids.curvilinear_grids()


class TestPoints(GridSuite):
    grids = given_grids.points_grids()
