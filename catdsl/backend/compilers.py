"""What torch.compile raises where it, or the compiler that it needs, cannot do its work."""

_RAISING = ("torch._dynamo", "torch._inductor")


def of_a_compiler(error: BaseException) -> bool:
    """Whether an error is torch.compile's own, such as that of a machine without a C++ compiler."""
    return type(error).__module__.startswith(_RAISING)
