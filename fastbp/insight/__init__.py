"""Why is learning slow? What each layer says of δ, σ' and its inputs, in numbers and in words."""
