"""Whether the first line of a table names its columns, and what they are called."""

from .numbers import DataFrame, is_number


def names(frame: DataFrame) -> tuple[list[str], bool]:
    """Return the names of the columns, and whether they stand in the first line.

    What has no name is called as by pandas: Unnamed: 0. Without a header, columns are called by their numbers.
    """
    if not _has_header(frame):
        return [f"column {place}" for place in range(frame.width)], False
    return [cell or f"Unnamed: {place}" for place, cell in enumerate(frame.row(0))], True


def _has_header(frame: DataFrame) -> bool:
    """Compare the first line with those below it.

    A text above numbers is a name. A single one among many numbers is taken for a mistake in the data, unless it is
    the last and no two cells are alike: then columns are named by numbers, such as years. Where all is text, the
    first line holds data if it repeats below.
    """
    first, body = frame.row(0), frame[1:1001]
    above = [cell is not None and not is_number(cell) for cell in first]
    if not body.height:
        return all(above)
    numeric = [any(is_number(cell) for cell in series.drop_nulls().head(20)) for series in body]
    over_numbers = [text for text, number in zip(above, numeric, strict=True) if number]
    if any(over_numbers):
        years = above[-1] and numeric[-1] and len(set(first)) == len(first)
        return 2 * sum(over_numbers) > len(over_numbers) or years
    if any(numeric):
        return False
    return not any(cell in series for cell, series in zip(first, body, strict=True) if cell is not None)
