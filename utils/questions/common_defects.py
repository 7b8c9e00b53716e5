"""What everybody calls a defect, so that the word alone is a question: `scratches?`"""

from __future__ import annotations

from utils.words.spelling import word_key

_ENGLISH = frozenset(
    "crack scratch dent hole pinhole pit bubble void pore stain spot dust dirt burr chip scale patch "
    "inclusion crazing corrosion rust contamination scrape gouge tear cut knot resin foreignbody "
    "foreignobject fold wrinkle blister delamination porosity spatter undercut debris fiber hair mark smear "
    "smudge streak groove bump bulge bruise contusion abrasion wear deformation fracture breakage break leak "
    "oil residue peeling flake discoloration fissure nick indentation particle fingerprint thread mousebite "
    "spur short open misalignment splinter rot blob line speck cavity blowhole coldshut flash missingpart "
    "scuff warp bend dross spall erosion crater crease fray grain lump hotspot".split()
)
_CHINESE = (
    "裂纹 裂缝 裂痕 划痕 划伤 刮痕 刮伤 擦伤 凹坑 凹陷 凹痕 压痕 孔洞 气泡 气孔 针孔 孔 洞 污渍 污点 油污 油渍 脏污 "
    "斑点 黑点 白点 亮点 灰尘 毛刺 缺口 崩边 夹杂 夹渣 锈蚀 锈斑 生锈 腐蚀 磨损 变形 破损 断裂 断线 折痕 褶皱 起皱 "
    "起泡 脱落 剥落 异物 杂质 毛发 纤维 节疤 死节 活节 树脂 色差 变色 麻点 水渍 指纹 缺料 缺损 短路 开路 虚焊 漏焊 "
    "飞边 碰伤 磕碰 结疤 氧化皮"
).split()


def is_common(phrase: str) -> bool:
    """Whether the last word of `phrase` is one of them: `dark spots`, `细小裂纹`."""
    words = phrase.split()
    last = {word_key(" ".join(words[-n:])) for n in (1, 2) if words}
    return bool(last & _ENGLISH) or phrase.endswith(tuple(_CHINESE))
