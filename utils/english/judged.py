"""English questions for a judgement: is the part good, how bad is it. See `phrasing` for the signs."""

from __future__ import annotations

from utils.questions.phrasing import Rule
from utils.questions.question import Kind

VERDICTS = (
    Rule(
        Kind.VERDICT,
        (
            "[<isthing>|[whether] <thing>|whether] [a] <good> [<thing>] or [<isthing>|<be>] [it] [a] "
            "(<bad>|not|not <good>|not <bad>) [<thing>]",
            "[<isthing>|[whether] <thing>|whether] [a] <bad> [<thing>] or [<isthing>|<be>] [it] [a] "
            "(<good>|not|not <good>) [<thing>]",
            "[whether] (accept|pass|keep|use|ship) [<thing>] or (<drop>|fail|not) [<thing>]",
            "(should|shall|can|do|must|will|does) (<viewer>|<thing>) [be] (accept|pass|keep|accepted|passed|kept"
            "|<good>) [<thing>] or [be] (<drop>|<dropped>|fail) [<thing>]",
        ),
    ),
    Rule(
        Kind.VERDICT,
        (
            "<isthing> [a|an] <bad> [<thing>|one]",
            "<isthing> not [a|an] <good> [<thing>|one]",
            "whether <thing> [not] <bad>",
            "(whether|<be>) [a] <bad> [<thing>]",
            "whether not <good>",
            "(does|did|will|would|has) <thing> (fail|failed) [<test>]",
            "whether <thing> (fails|failed|fail|would fail|will fail) [<test>]",
            "(should|shall|must|do|can|would|will) <viewer> [have to|need to] <drop> <thing>",
            "whether <viewer> (should|shall|must|have to|need to) <drop> <thing>",
            "(should|must|shall|does|can|will) <thing> [have to|need to] be <dropped>",
            "whether <thing> (should|must|shall|has to|needs to|will|can) be <dropped>",
            "whether <drop> [<thing>]",
            "(should|shall|must) <viewer> (throw|sort) <thing> (away|out)",
        ),
        negated=True,
    ),
    Rule(
        Kind.VERDICT,
        (
            "<isthing> [a|an|of] <good> [<thing>|one|quality] <rule>",
            "<be> (everything|all|things|all of <thing>) <good> [with <thing>|{f}]",
            "whether (everything|all) [<be>] <good> [with <thing>|{f}]",
            "(whether|<be>) [a] <good> [<thing>]",
            "whether <thing> <good>",
            "(<be>|whether) [the] (quality [of <thing>]|<thing> quality) [<be>] <good>",
            "whether <thing> quality <good>",
            "<do> <thing> <look> <good>",
            "whether <thing> (looks|look|seems) <good>",
            "(does|did|will|would|has|can|could|should) <thing> (pass|passed) [<test>]",
            "whether <thing> (passes|passed|pass|would pass|will pass|can pass) [<test>]",
            "(does|did|would) <thing> (meet|fulfil|fulfill|satisfy|conform to|comply with|reach) [the|our] "
            "[quality] <spec>",
            "(can|could|may|should|shall|do|would|will|must) [<viewer>|<thing>] <use>",
            "whether (<viewer>|<thing>) (can|could|may|should|shall) <use>",
            "whether (pass|accept|use|ship|release|keep) [<thing>]",
            "(whether|<be>) [quality|final] (inspection|check|test) passed",
            "<whatis> [final|overall|inspection] (verdict|decision|judgement|judgment|result|quality status|outcome) "
            "[of the (inspection|test|check)] [on <thing>|of <thing>|about <thing>|{f}]",
            "[what] [<be>] your (verdict|decision|judgement|judgment) [on <thing>|{f}]",
            "(pass|judge|give) (judgement|judgment|<thing>|[a|your|the] verdict) [on <thing>|{f}]",
        ),
    ),
)
SEVERITIES = (
    Rule(
        Kind.SEVERITY,
        (
            "how <severe> (<be>|<do>) (<part>|things|everything) [<look>|<bad>]",
            "how <severe> <part> <be>",
            "how <severe> [{f}]",
            "how (damaged|severely damaged|badly damaged|defective|faulty) <be> <thing>",
            "how <severe> (<be>|has) <thing> [been] <covered>",
            "<whatis> [damage|defect|overall] <scale> [level|grade|score|class] [of <part>|{f}]",
            "(what|which) [damage|defect|severity] <scale> [level] (<be>|<do>|has) (<part>|it|this) [get|have|got|in]",
            "<whatis> <scale> of damage [of <part>|to <part>|{f}]",
            "(rate|grade|assess|judge|evaluate) [the severity of|the] <part>",
            "(rate|grade|assess|judge|evaluate) [the] (severity|damage)",
            "<part> (severity|grade)",
        ),
    ),
    Rule(
        Kind.SEVERITY,
        (
            "how <severe> <be> {a}",
            "how <severe> {a} <be>",
            "how <severe> <do> {a} <look>",
            "<whatis> [defect] <scale> [level|grade|score|class] (of|for) {a}",
            "<whatis> {a} (severity|grade) [level]",
            "(what|which) [severity] <scale> (<be>|<do>|has|have) {a} [have|get|got]",
            "(rate|grade|assess|judge|evaluate) [the severity of] {a}",
            "<isthing> [a] [very] (severe|serious|critical|grave|major) (<gen>|one)",
            "<be> {a} [very|too|really] (severe|serious|critical|grave)",
            "<be> {a} [a] (severe|serious|critical|grave|major) or [a] (not|minor|slight|harmless|uncritical)",
            "<be> {a} (minor|slight|harmless) or (severe|serious|critical|grave|major)",
            "whether {a} <be> [very|too] (severe|serious|critical|grave)",
            "whether [very|too] (severe|serious|critical) [{a}]",
        ),
    ),
)
