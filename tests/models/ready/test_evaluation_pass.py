from models.ready.evaluation_pass import EvaluationPass
from tests.utils.glass_cases import detections, record
from tests.utils.zones.test_zones import LEFT, RIGHT, zones


def test_what_does_not_count_is_left_out():
    """By class, of each picture; what is of none of the two classes is the third to the zones."""
    found = detections(([0, 0, 9, 9], 0.9, 0), ([60, 0, 69, 9], 0.8, 0), ([0, 0, 9, 9], 0.7, 1))
    whole = EvaluationPass({3: found}, {}, unnamed={3: found.keep(found.labels == 0)})
    records = {3: record([], [])}
    assert whole.counting(None, records, 2) is whole
    some = whole.counting(zones(("out", LEFT, [0])), records, 2)
    assert some.detections[3].scores.tolist() == found.scores[1:].tolist() and some.unnamed is whole.unnamed
    other = whole.counting(zones(("in", RIGHT, [2])), records, 2)
    assert len(other.detections[3]) == 3 and other.unnamed[3].scores.tolist() == found.scores[1:2].tolist()
