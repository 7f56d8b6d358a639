def to_inference(self, **values: Any) -> None:
    """Values that the prediction code uses, such as the encoder of the target."""
    if self.fitting:
        self.state.shared.update({name: copy.deepcopy(value) for name, value in values.items()})
