"""The denoising models of each layout, answering batches of rows whose bits depend on no neighbour."""
