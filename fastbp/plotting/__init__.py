"""Pictures of what was trained; needs matplotlib, imported only when something is drawn."""

from .confusion import plot_confusion as plot_confusion
from .curves import plot_history as plot_history
from .figures import check_format as check_format
from .mistakes import Mistake as Mistake
from .mistakes import plot_mistakes as plot_mistakes
from .overview import plot_training as plot_training
