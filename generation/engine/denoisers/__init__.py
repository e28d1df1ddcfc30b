"""The models that denoise, one per layout: a row's bits do not depend on its neighbours."""
