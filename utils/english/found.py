"""English questions for what the defects are, where they lie and how they look. See `phrasing` for the signs."""

from __future__ import annotations

from utils.questions.phrasing import Only, Rule
from utils.questions.question import Kind

KINDS = (  # before counts: who asks how many kinds there are wants to know which
    Rule(
        Kind.CLASS,
        (
            "how many ([different|distinct] <kind> of|different|distinct) {a} [<shown>] [{f}]",
            "how many [different|distinct] [<gen>] <kind> [<shown>] [{f}]",
        ),
        only=Only.ANY,
    ),
)
CLASSES = (
    Rule(
        Kind.CLASS,
        (
            "(what|which) <be> {a} [called|named|with <thing>]",
            "(which|what) {a} <be> {rank}",
            "(which|what) [<kind> of] {a} <be> {f}",
            "(which|what) [<kind> of] {a} [<be>] (it|this|that|these|<part>)",
            "(which|what) [<kind> of] {a}",
            "<list> [a list of|the names of] {a} [[that] <shown>|by <kind>] [{f}]",
            "how many {a} ([of|for|in] each|per|by) [<kind>|<kind> of defect|one]",
            "<whatis> [defect] (<kind>|list) (of|for) {a}",
            "[to|in] (which|what) [defect] <kind> (<do>|<be>|has) {a} [belong|belong to|have|get]",
            "<whatis> {noun} (<kind>|list)",
            "what {a} <be>",
        ),
        only=Only.ANY,
    ),
    Rule(
        Kind.CLASS,
        (
            "<which> [different|various] [<kind> of] {a} <shown> [{f}]",
            "(list|name|enumerate) [me|us] [all] [of] [the] [<kind> of] {a} [[that] <shown>] [{f}]",
        ),
    ),
    Rule(
        Kind.CLASS,
        ("<be> ([the|this] <gen>|it|this|that|these) [either] {either}",),
        only=Only.COMMON,
    ),
    Rule(
        Kind.CLASS,
        (
            "what [all|else] <be> (wrong|amiss|not ok|faulty|bad|off|defective|the matter) "
            "[(with|about) <thing>] [{f}]",
            "what [all] (<do>|can|could) <viewer> (<see>|<have>) [{f}]",
            "what (can|could) be <seen> [{f}]",
            "(what|which) <kind> (<be> <seen>|can be <seen>|did <viewer> <see>) [{f}]",
            "what <viewer> [can] <see> [{f}]",
            "what <be> (<seen>|there|this|it|that|going on|the case) [to see] [{f}]",
            "what (has|have) (been|<viewer>) <seen> [{f}]",
            "what <be> {f}",
            "what (<do>|has) <thing> (<have>|got) [wrong] [{f}]",
            "what <thing> (show|shows|contains)",
            "what (kind|type|class|sort) [of it] [<be> (it|this)] [{f}]",
            "<whatis> [defect] (<kind>|labels) [{f}]",
            "(classify|categorise|categorize|identify) (it|this|<part>)",
        ),
    ),
)
LOCATIONS = (
    Rule(
        Kind.LOCATION,
        (
            "(where [about]|whereabouts) [all] <be> {a} [<seen>|situated|lying|to be found] [{f}]",
            "where [all] {a} <be> [<seen>|situated|lying]",
            "where [all] (<do>|can|could|did) <viewer> <see> {a} [{f}]",
            "where [<viewer>] [can] <see> {a}",
            "where (can|could) {a} be <seen> [{f}]",
            "where (<do>|have|has) {a} (occur|appear|lie|sit|show|show up|start|been <seen>) [{f}]",
            "where {f} <be> {a}",
            "where {f} (<do>|can|could) <viewer> <see> {a}",
            "where [<be>] [{f}]",
            "where {a} (locates|located|lies|occurs|appears)",
            "{a} <be> where",
            "where {a}",
            "<inwhich> [exactly] [of <thing>] (<be>|<do>|can|has|have) {a} [<seen>|situated|lie|lying|occur|appear"
            "|sit|on|in|at|be <seen>|been <seen>|concentrated] [{f}]",
            "<inwhich> [of <thing>] {a} <be> [<seen>]",
            "<inwhich> [of <thing>] (<do>|can) <viewer> <see> {a}",
            "<inwhich> [of <thing>] (<have>|<exist>|<be> <covered> by) {a}",
            "<whatis> [exact] (position|location|place|coordinates|whereabouts|bounding box|box|positions|locations"
            "|places|bounding boxes|boxes|bbox|bboxes|centre|center|placement|spot) (of|for) {a}",
            "<whatis> {a} (position|location|place|coordinates|positions|locations|bounding box|box|boxes|where)",
            "<ask> [where] {a} [<be>|<be> <seen>]",
            "<be> {a} [closer|nearer|more|rather] {side}",
            "{a} [,] (where|where is it|where are they|which (side|corner))",
            "(position|location|coordinates) {a}",
        ),
    ),
    Rule(Kind.LOCATION, ("(which|what) {a} <be> {rank}",), only=Only.WORD),
)
DESCRIPTIONS = (
    Rule(
        Kind.DESCRIPTION,
        (
            "<describe> (<part>|everything|what <viewed>|what <be> (<seen>|there)|the situation|the condition of "
            "<part>|all) [{f}]",
            "[<give>] <summary> [of <part>|{f}]",
            "<describe> what is wrong [with <thing>|{f}]",
            "what <do> (<part>|everything) look like",
            "how <do> <part> look",
        ),
    ),
    Rule(
        Kind.DESCRIPTION,
        (
            "<describe> (the (<form>|appearance|look|looks) of|how|what) {a} [look|looks|look like|looks like|is like]",
            "<describe> {a}",
            "<describe>",
            "what <do> {a} look like [{f}]",
            "(how|what) {a} (look|looks) [like]",
            "how <do> {a} look [{f}]",
            "what <be> {a} like",
            "what <be> <summary> of {a}",
            "(what|which) [kind of] <form> (<be>|<do>|has|have) {a} [have|got|of]",
            "<whatis> (<form>|appearance|look|visual appearance|description) of {a}",
            "<whatis> {a} (<form>|appearance)",
            "how <be> {a} shaped",
            "[what can you] (tell|say) [me|us] [something|more|a bit|a bit more|all] about {a}",
            "what can you say about {a}",
            "what do you know about {a}",
            "how would (you|one) describe {a}",
            "<be> {a} (round|circular) or (long|elongated|irregular|oblong|thin)",
            "<be> {a} (long|elongated|irregular|thin) or (round|circular)",
            "[<give>] [a|the|more] [short|brief] (details|information|info) (of|about|on) {a}",
        ),
    ),
)
