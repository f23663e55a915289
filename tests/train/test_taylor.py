"""Taylor scores: what the loss would change, compared with changing the scales."""

import numpy as np
import torch
from torch.nn.functional import l1_loss

from catdsl.backend.initial import initialize
from catdsl.backend.module import build_module
from catdsl.project import load
from catdsl.train.data.batches import training_batches
from catdsl.train.data.opening import ImageData
from catdsl.train.taylor import taylor_scores

SPEC = """
generator g {
    input x: image(3, 32, 32)
    a = x -> conv(4, 3) -> norm -> relu
    b = a -> conv(3, 3) -> batch_norm
    idle = a -> conv(2, 1) -> norm
    output b -> conv(3, 3) -> tanh
}
distill { taps = [idle] }
"""


def test_a_score_is_the_change_of_the_loss_where_a_scale_changes(paired: ImageData) -> None:
    project = load(SPEC)
    graph = project.graph
    module = build_module(graph).double()
    initialize(module, graph, project.settings.style, 3)
    module.train()
    batches = training_batches(paired, batch=2, seed=5)

    class Doubles:
        def at(self, step: int):  # type: ignore[no-untyped-def]
            return Double(batches.at(step))

    class Double:
        def __init__(self, batch) -> None:  # type: ignore[no-untyped-def]
            self.input_BCHW, self.target_BCHW = batch.input_BCHW.double(), batch.target_BCHW.double()

        def to(self, device: str) -> "Double":
            return self

    scores = taylor_scores(module, graph, Doubles(), count=2, device="cpu")  # type: ignore[arg-type]
    assert set(scores) == {"a.norm0", "b.batch_norm0", "idle.norm0"}
    assert not scores["idle.norm0"].any()
    assert module.training
    assert all(p.grad is None for p in module.parameters())
    module.eval()
    for name in ("a.norm0", "b.batch_norm0"):
        scale = module.get_parameter(f"{name}.weight")
        for channel in range(len(scale)):
            wanted = 0.0
            for step in range(2):
                batch = Double(batches.at(step))
                losses = []
                for factor in (1 + 1e-5, 1 - 1e-5):
                    with torch.no_grad():
                        scale[channel] *= factor
                        losses.append(l1_loss(module(batch.input_BCHW), batch.target_BCHW).item())
                        scale[channel] /= factor
                wanted += abs(losses[0] - losses[1]) / 2e-5 / 2
            np.testing.assert_allclose(scores[name][channel], wanted, rtol=1e-3, atol=1e-9)
