"""Draw README's pictures of what happens inside: `python -m benchmarks.pictures` (needs matplotlib; the page Chromium).

`factors.png`: BP2's factors in a deep network of sigmoids. `report.png`: the top of what `fastbp diagnose` writes.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from fastbp import Network, diagnose
from fastbp.cli import main as fastbp
from fastbp.datasets import load_digits

FOLDER = Path(__file__).parent / "results"
BROWSER = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-sync", "--disable-background-networking",
         "--disable-component-update", "--no-first-run", "--hide-scrollbars")  # fmt: skip


def deep_network() -> Network:
    """Make the network of both pictures."""
    return Network([64, 30, 30, 30, 30, 10], seed=0)


def main() -> None:
    """Draw both."""
    data = load_digits()
    diagnose(deep_network(), data.x_train, data.y_train).plot().savefig(FOLDER / "factors.png", dpi=80)
    browser = next(filter(None, map(shutil.which, BROWSER)), None)
    if browser is None:
        print("no Chromium: report.png is as it was")
        return
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "deep.safetensors"
        net = deep_network()
        net.fit(data.x_train, data.y_train, epochs=2, verbose=0)
        net.save(model)
        fastbp(["diagnose", str(model)])
        command = [browser, *FLAGS, f"--user-data-dir={folder}/browser", "--window-size=1000,1000"]
        page = model.with_suffix(".html").as_uri()
        subprocess.run([*command, f"--screenshot={FOLDER / 'report.png'}", page], check=True, capture_output=True)


if __name__ == "__main__":
    main()
