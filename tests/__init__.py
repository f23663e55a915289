"""The tests of catdsl; a package, so that files of equal names in two folders do not collide."""
