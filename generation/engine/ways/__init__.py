"""The ways of making a picture: what each starts from, and what it does with the result.

Each gives the step loop one `Start` and turns decoded pixels into the finished picture. They match
diffusers' own pipelines draw by draw: the same generator is asked for the same numbers in the same
order, so that a seed means the same picture.
"""
