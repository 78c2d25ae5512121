"""Pictures of what was trained; needs matplotlib, imported only when something is drawn."""

from .confusion import plot_confusion as plot_confusion
from .curves import plot_history as plot_history
from .diagnosis import plot_diagnosis as plot_diagnosis
from .display import Display as Display
from .equations import plot_equations as plot_equations
from .factors import plot_factors as plot_factors
from .figures import check_format as check_format
from .inside import plot_distributions as plot_distributions
from .inside import plot_weights as plot_weights
from .learning import plot_saturation as plot_saturation
from .learning import plot_speeds as plot_speeds
from .mistakes import Mistake as Mistake
from .mistakes import plot_mistakes as plot_mistakes
from .overview import plot_training as plot_training
