"""What the pages' code calls to show the beginning of a long text."""


def most_of(text: str, lines: int) -> str:
    """Return the first lines of a text, and how many follow."""
    every = text.strip().splitlines()
    rest = len(every) - lines
    return "\n".join([*every[:lines], *([f"… {rest} more lines"] if rest > 0 else [])])


def assembly(ir: str) -> str:
    """Return the machine code of LLVM's text for this processor, as assembly."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_default_triple()
    machine = target.create_target_machine(
        cpu=binding.get_host_cpu_name(), features=binding.get_host_cpu_features().flatten(), opt=2
    )
    lines = str(machine.emit_assembly(binding.parse_assembly(ir))).splitlines()
    # Not the directives for the assembler, which say nothing to a reader.
    return "\n".join(line for line in lines if not line.strip().startswith((".", "#")))
