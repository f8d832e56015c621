"""What the proofs of the guide input_layers and of its reference pages share."""


def error_of(call, *args, **options):
    """The error of a call, as text; nothing if there is none."""
    try:
        call(*args, **options)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""
