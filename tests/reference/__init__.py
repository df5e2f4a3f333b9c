"""The pages of `docs/reference/`, generated from the code. `make reference` writes them, a test holds them fresh."""
