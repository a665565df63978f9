"""Every block of docs/idempotency.md that names a file stands in that file, to the letter."""

import pathlib
import re

HERE = pathlib.Path(__file__).parent
DOC = HERE.parents[1] / "docs" / "idempotency.md"
BLOCK = re.compile(r"^`examples/idempotency/([\w./]+)`:?\n\n```\w+\n(.*?)^```", re.DOTALL | re.MULTILINE)


def main():
    text = DOC.read_text()
    blocks = BLOCK.findall(text)
    named = text.count("```") // 2
    assert len(blocks) == named > 0, f"{named} blocks, {len(blocks)} of them with their file"
    for name, block in blocks:
        source = (HERE / name).read_text()
        assert block in source, f"docs/idempotency.md, {name}: not the code\n{block}"
    print(f"docs/idempotency.md: {len(blocks)} blocks are the code")


if __name__ == "__main__":
    main()
