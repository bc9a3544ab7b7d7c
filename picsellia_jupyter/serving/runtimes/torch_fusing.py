"""Batch normalisation folded into the convolution before it: the same network with less to do."""

from __future__ import annotations

import copy
import operator
import warnings
from typing import Any


def fused(torch: Any, module: Any) -> Any:
    """A copy of a network in which convolutions normalise by themselves.

    Whether it still gives the same is for the caller to look at: a network may use its parts
    in another order than it lists them.
    """
    if isinstance(module, torch.jit.ScriptModule):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return torch.jit.freeze(module)
    made = copy.deepcopy(module)
    if isinstance(made, torch.fx.GraphModule):
        _fold_in_graph(torch, made)
    else:
        _fold_in_modules(torch, made)
    return made


def _fold_in_modules(torch: Any, parent: Any) -> None:
    before, before_name = None, ""
    for name, child in list(parent.named_children()):
        if _normalises(torch, before, child):
            fuse = torch.nn.utils.fusion.fuse_conv_bn_eval
            setattr(parent, before_name, fuse(before, child))
            setattr(parent, name, torch.nn.Identity())
        else:
            _fold_in_modules(torch, child)
        before, before_name = child, name


def _normalises(torch: Any, before: Any, child: Any) -> bool:
    return (
        isinstance(before, torch.nn.Conv2d)
        and isinstance(child, torch.nn.BatchNorm2d)
        and before.out_channels == child.num_features
        and child.running_mean is not None
    )


def _fold_in_graph(torch: Any, module: Any) -> None:
    aten = torch.ops.aten
    norms = [node for node in module.graph.nodes if node.target is aten.batch_norm.default]
    for index, norm in enumerate(norms):
        convolution, training = norm.args[0], norm.args[5]
        alone = convolution.target is aten.conv2d.default and len(convolution.users) == 1
        if alone and not training:
            _fold_node(torch, module, convolution, norm, f"_fused_{index}")
    module.graph.eliminate_dead_code()
    module.recompile()


def _fold_node(torch: Any, module: Any, convolution: Any, norm: Any, name: str) -> None:
    given = [*convolution.args, None][:3]
    weight, bias = (_tensor(module, node) for node in given[1:])
    gain, shift, mean, variance = (_tensor(module, node) for node in norm.args[1:5])
    new = torch.nn.utils.fusion.fuse_conv_bn_weights(
        weight, bias, mean, variance, norm.args[7], gain, shift
    )
    with module.graph.inserting_before(convolution):
        for part, tensor in zip(("weight", "bias"), new, strict=True):
            module.register_parameter(f"{name}_{part}", tensor.requires_grad_(requires_grad=False))
        nodes = [module.graph.get_attr(f"{name}_{part}") for part in ("weight", "bias")]
    convolution.args = (given[0], *nodes, *convolution.args[3:])
    norm.replace_all_uses_with(convolution)
    module.graph.erase_node(norm)


def _tensor(module: Any, node: Any) -> Any:
    return None if node is None else operator.attrgetter(node.target)(module)
