"""A network made ready to train: its first weights, anchors that fit, where it runs, and its training state."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from models.graph.freeze import check_frozen, freeze, freeze_idle
from models.graph.graph import Graph
from models.graph.open_vocabulary import Words, encode, text_source, with_words, words_for
from models.heads.anchor import AnchorDetect
from models.layers.conv import set_bn_momentum
from models.layers.timm_backbone import backbones, synchronised
from models.losses.anchors import refit
from models.ready.backbone_weights import fill_backbones, set_backbones
from models.ready.footprint import check_fits
from models.ready.load import build_network
from models.ready.replay import replayed
from models.ready.starting_weights import StartingWeights, Taken
from models.ready.trial import fit_batch
from models.rows.model_spec import ModelSpec, read_spec
from utils.config.config import Config, ModelConfig
from utils.config.idle_knobs import NetworkTraits
from utils.config.paths import find_yaml
from utils.console.log import LOG
from utils.processes.distributed import World
from utils.processes.launch import check_processes
from utils.training.optimizer import accumulation
from utils.training.state import TrainState, new_state
from utils.values.channels import Channels
from utils.words.errors import ConfigError
from utils.words.text import counted
from utils.words.vocabulary import Vocabulary

FEW_PICTURES = 2000  # from which a start from noise gets far
VERY_FEW, ENOUGH_UPDATES = 200, 480  # pictures; as many as fifty of NEU-DET took to teach most (cfg/RESULTS.md)


def new_model(
    cfg: Config, vocabulary: Vocabulary, channels: Channels, sizes: np.ndarray
) -> tuple[Config, Graph, Words | None]:
    """The network with its first weights, and the configuration with --img fitted to its stride.

    `sizes` (N, 2): width and height of the training boxes, px at --img.
    """
    start = StartingWeights.read(cfg.model.weights) if cfg.model.weights else None
    model, words = new_network(cfg, vocabulary, channels, start)
    cfg, taken = _fit_stride(cfg, model.stride), Taken()
    if start is not None:
        taken = start.fill(model, vocabulary.names)
        LOG.info(taken.line)
    elif not cfg.anchor_assign.noautoanchor:
        model = _fit_anchors(model, words, sizes, cfg)
    filled, lines = fill_backbones(model, cfg.model.backbone, taken.filled, start.origin if start else "")
    for line in lines:
        LOG.info(line)
    check_frozen(model, cfg.model.freeze, filled)
    return cfg, model, words


def new_network(
    cfg: Config, vocabulary: Vocabulary, channels: Channels, start: StartingWeights | None
) -> tuple[Graph, Words | None]:
    """The network of the model YAML, or without one that of `start`, with random weights; an open-vocabulary one looks
    for `vocabulary`.

    Its pictures have `channels`, without the planes of polar when it reads none, which is logged. Raises UserError.
    """
    stored = start if not cfg.model.cfg else None
    spec = stored.spec if stored else read_spec(find_yaml(cfg.model.cfg, "models", "--cfg"))
    if stored:
        classes = counted(len(vocabulary), "class")
        LOG.info("%s: its network, %s, for the data's %s (--cfg takes another)", stored.path, spec.path.name, classes)
    words = _new_words(spec, vocabulary, cfg.model, stored)
    spec = with_words(spec.with_values(nc=len(vocabulary)), words)
    if channels.polar and not spec.reads("polar"):
        both = "" if spec.text_dim else "; --cfg idfe-net-polar-lite0-n.yaml reads both"
        LOG.info("%s reads no polar: trained on %s alone%s", spec.path.name, ", ".join(channels.image), both)
        channels = channels.image_only()
    return build_network(spec, words, cfg, channels), words


def _new_words(
    spec: ModelSpec, vocabulary: Vocabulary, cfg: ModelConfig, stored: StartingWeights | None
) -> Words | None:
    """The vectors of `vocabulary` for a network that reads text: by the encoder of the YAML or of --text-encoder, or as
    the checkpoint's own network understands them. Raises UserError.
    """
    if spec.text_dim is None:
        given = "--text-encoder" if cfg.text_encoder else "--glossary" if cfg.glossary else ""
        if given:
            raise ConfigError(f"{given}: {spec.path.name} reads no text; take a model such as rtvpnet-s.yaml")
        return None
    if stored and stored.words:
        return words_for(stored.words, vocabulary, cfg.text_encoder, glossary=cfg.glossary)
    return encode(vocabulary, text_source(spec, cfg.text_encoder), glossary=cfg.glossary)


def _fit_stride(cfg: Config, stride: int) -> Config:
    """--img rounded up to whole cells of the largest stride."""
    size = -(-cfg.data.imgsz // stride) * stride
    if size != cfg.data.imgsz:
        LOG.info("--img %d is no multiple of %d: using %d", cfg.data.imgsz, stride, size)
    return replace(cfg, data=replace(cfg.data, imgsz=size))


def _fit_anchors(model: Graph, words: Words | None, sizes: np.ndarray, cfg: Config) -> Graph:
    """The model, rebuilt with fitting anchors where its own do not fit the training boxes."""
    # augmentation loses smaller boxes; 0 px, which a data set may have, would fit no anchor at all
    seen = sizes[(sizes >= max(cfg.augment.min_box_px, 1e-3)).all(1)]
    spec, notice = refit_spec(model, seen, cfg.anchor_assign.max_ratio, cfg.run.seed)
    if notice:
        LOG.info(notice)
    if spec is model.spec:
        return model
    torch.manual_seed(cfg.run.seed)  # the same first weights as if the YAML had these anchors
    return build_network(spec, words, cfg, model.channels)


def refit_spec(graph: Graph, sizes: np.ndarray, max_ratio: float, seed: int) -> tuple[ModelSpec, str]:
    """The graph's specification, with fitted anchors where its own fit the (N, 2) sizes badly, and a line that says so.

    Unchanged and silent without an anchor head, without boxes, or where the head does not take the YAML's `anchors`.
    """
    head, spec = graph.head, graph.spec
    given = [*spec.rows[-1].args, *spec.rows[-1].keywords.values()]
    if not isinstance(head, AnchorDetect) or not len(sizes) or spec.data.get("anchors") not in given:
        return spec, ""
    fit = refit(sizes, head.anchors.cpu().numpy(), head.strides, max_ratio, seed)
    return spec if fit.rows is None else spec.with_values(anchors=fit.rows), fit.words(max_ratio)


def new_training(
    model: Graph, cfg: Config, pictures: int, dtype: torch.dtype | None, device: torch.device, world: World
) -> tuple[Config, TrainState[Graph]]:
    """`model` on `device`, ready for its first step on `pictures` training pictures; the configuration with --batch -1
    replaced.

    `dtype`: of the forward pass under autocast (None: float32). Raises ConfigError for what does not go together.
    """
    for line in set_backbones(model, cfg):
        LOG.info(line)
    if cfg.model.freeze:
        LOG.info(freeze(model, cfg.model.freeze))
    set_bn_momentum(model, cfg.model.bn_momentum)
    model.to_device(device)
    if idle := freeze_idle(model):
        LOG.warning(idle)
    cfg = world.broadcast(fit_batch(cfg, model, pictures, dtype, world.size))  # GPUs may differ in free memory
    check_processes(cfg, pictures, world.size)
    size = int(cfg.data.imgsz * 1.5) if cfg.data.multi_scale else cfg.data.imgsz
    check_fits(model, size, min(cfg.data.batch_size // world.size, pictures), training=True, half=dtype is not None)
    model = _with_sync_bn(model, cfg, world)  # before `new_state`: optimizer and average are made of its modules
    state = new_state(model, cfg, dtype, world)
    state.network = replayed(model, cfg, world, state.network)
    if cfg.run.cuda_graph and (together := accumulation(cfg.optim, cfg.data.batch_size)) > 1:
        advice = "a larger --batch or --set optim.accumulate=1 replays all"
        LOG.info("--cuda-graph: of %d batches that make an update the first one is replayed; %s", together, advice)
    return cfg, state


def traits_of(model: Graph, classes: int, weights: str) -> NetworkTraits:
    """What decides which knobs act on `model`, which started from `weights` ("": at random)."""
    sections, backbone, reads_text = model.head.sections, bool(backbones(model)), model.text is not None
    return NetworkTraits(model.spec.path.name, classes, sections, model.row_losses, not weights, backbone, reads_text)


def start_advice(model: Graph, cfg: Config, pictures: int, samples: int) -> list[str]:
    """What so few `pictures`, which make so many `samples` in an epoch, would teach more by: a start from ImageNet in
    place of noise; more steps.
    """
    told = []
    if pictures <= FEW_PICTURES and not cfg.model.weights and not backbones(model):
        kind = "rtvpnet" if model.text is not None else "idfe-net-polar" if model.spec.reads("polar") else "idfe-net"
        told.append(f"{counted(pictures, 'picture')}, from scratch: --cfg {kind}-lite0-n.yaml starts from ImageNet")
    epochs, together = cfg.schedule.epochs, cfg.data.batch_size * accumulation(cfg.optim, cfg.data.batch_size)
    updates = math.ceil(samples / together) * epochs
    if pictures <= VERY_FEW and 2 * updates <= ENOUGH_UPDATES and not cfg.model.weights:
        repeat = math.ceil(ENOUGH_UPDATES / epochs * together * cfg.data.repeat / samples)
        few = f"{counted(pictures, 'picture')}, {counted(updates, 'update')} of the weights in all"
        told.append(f"{few}: fifty pictures taught more in {ENOUGH_UPDATES}, which --repeat {repeat} makes")
    return told


def size_line(model: Graph, world: World) -> str:
    """What trains where, for the console."""
    parameters, device = sum(p.numel() for p in model.parameters()), next(model.parameters()).device
    where = str(device) if world.size == 1 else f"{world.size} x {device.type}"
    return f"{model.spec.path.name}: {parameters:,} parameters, on {where}"


def _with_sync_bn(model: Graph, cfg: Config, world: World) -> Graph:
    """The model with BatchNorm over the pictures of all processes, where --sync-bn asks for it or GPUs have few each.

    Raises ConfigError on the CPU, where PyTorch has none.
    """
    each, on_gpu = cfg.data.batch_size // world.size, next(model.parameters()).is_cuda
    if world.size == 1:
        if cfg.run.sync_bn:
            LOG.info("--sync-bn: 1 process sees whole batches, there is nothing to synchronise")
        return model
    if cfg.run.sync_bn and not on_gpu:
        raise ConfigError("--sync-bn: PyTorch synchronises BatchNorm on GPUs only; leave it out on the CPU")
    if not cfg.run.sync_bn and not (on_gpu and each < cfg.run.sync_bn_below):
        return model
    LOG.info("BatchNorm over the pictures of all %d GPUs, %d each", world.size, each)
    return synchronised(model)
