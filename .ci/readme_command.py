"""Print the Nth shell block of a README, so that what is checked is what is written there."""

import re
import sys
from pathlib import Path

number, path = int(sys.argv[1]), Path(sys.argv[2])
text = path.read_text(encoding="utf-8")
blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
if len(blocks) != 2:
    sys.exit(f"expected exactly two shell blocks in {path.name}, found {len(blocks)}")
sys.stdout.write(blocks[number - 1])
