"""The sentences of `reason` and `reference` of the table `battery_health`, for pages to translate.

`{}` is a figure, a day or a word; several sentences of one row are joined by `; `.
"""

BY_MODEL = "trips and readings of power of the model"
BY_CHARGES = "charges"
BY_TRIPS = "trips whose power was read throughout"
NOTHING_MEASURED = "no model with readings of power, and no charges or trips whose energy is measured"
REPORTED_HEALTH = "what the vehicle itself reports, which nobody has checked"
REPORTED = "what the vehicle reports, which nobody has checked"
BY_CONTENT = "content over percent, as the vehicle reports them, which nobody has checked"
PROJECTED = "as the vehicle projects it"
FOLLOWS_PERCENT = "the model's range follows the percent: {}"
FEW_TRIPS = "fewer than {} trips with readings of power"
PERCENT_HARDLY_CHANGED = "the percent changed too little in all of them together"
LEFT_OUT = "{} left out, too far from the others: {}"
LOOSE = "volts hardly follow the current: too coarse, or not of the same battery"
SKEWED = "volts and current are not of one moment"
OF_ONE_MOMENT = "volts and current are of one moment"
OF_MODEL = "packs of the model when new, by its own figures: {} Wh"
OF_DATA_SHEET = "data sheet of the model: {} Wh"
OF_FIRST_MONTHS = "this battery's first three months: {} Wh"
ITS_OWN = "the vehicle's own"
