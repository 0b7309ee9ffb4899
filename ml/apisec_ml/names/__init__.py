"""Training of the classifier that reads what a field's name says (``core/apisec/classification/names/model.json``)."""
