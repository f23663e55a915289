"""For each pass a small network, its graph as text before, and after."""

from dataclasses import dataclass

from catdsl.passes.block_pixels import BlockPixels
from catdsl.passes.delay_slices import DelaySlices
from catdsl.passes.drop_dead import DropDead
from catdsl.passes.fold_batch_norms import FoldBatchNorms
from catdsl.passes.grow_depthwise_kernels import GrowDepthwiseKernels
from catdsl.passes.join_slices import JoinSlices
from catdsl.passes.merge_sibling_convs import MergeSiblingConvs
from catdsl.passes.merge_summed_convs import MergeSummedConvs
from catdsl.passes.rewriting import Pass
from catdsl.passes.scatter_narrow_convs import ScatterNarrowConvs
from catdsl.passes.settle_spectral_norms import SettleSpectralNorms
from catdsl.passes.share_equal_nodes import ShareEqualNodes
from catdsl.passes.share_padding import SharePadding


@dataclass(frozen=True, slots=True)
class Case:
    """`text` is the body of a generator; `first` are passes that make what `step` is about."""

    step: Pass
    text: str
    before: str
    after: str
    first: tuple[Pass, ...] = ()


CASES = (
    Case(
        MergeSiblingConvs(),
        """input x: image(4, 8, 8)
        a = x -> conv(2, 1, pad = reflect)
        b = x -> conv(3, 1)
        c = x -> conv(3, 3)
        output concat(a, b, c)""",
        """
        a.conv0 = conv(x) kernel 1
        b.conv0 = conv(x) kernel 1
        c.conv0 = conv(x) kernel 3
        output.concat0 = concat(a.conv0, b.conv0, c.conv0)
        """,
        """
        merged_conv0 = conv(x) kernel 1
        a.conv0 = split(merged_conv0) segments (0, 1)
        b.conv0 = split(merged_conv0) segments (1, 2)
        c.conv0 = conv(x) kernel 3
        output.concat0 = concat(a.conv0, b.conv0, c.conv0)
        """,
    ),
    Case(
        DelaySlices(),
        """input x: image(4, 8, 8)
        a = x -> conv(2, 1) -> norm -> relu -> conv(2, 3)
        b = x -> conv(3, 1) -> norm -> relu
        c = x -> conv(3, 1) -> tanh
        output concat(a, b, c)""",
        """
        merged_conv0 = conv(x) kernel 1
        a.conv0 = split(merged_conv0) segments (0, 1)
        a.norm0 = instance_norm(a.conv0)
        a.relu0 = relu(a.norm0)
        a.conv1 = conv(a.relu0) kernel 3
        b.conv0 = split(merged_conv0) segments (1, 2)
        b.norm0 = instance_norm(b.conv0)
        b.relu0 = relu(b.norm0)
        c.conv0 = split(merged_conv0) segments (2, 3)
        c.tanh0 = tanh(c.conv0)
        output.concat0 = concat(a.conv1, b.relu0, c.tanh0)
        """,
        """
        merged_conv0 = conv(x) kernel 1
        slice0 = split(merged_conv0) segments (0, 2)
        merged_instance_norm0 = instance_norm(slice0)
        merged_relu0 = relu(merged_instance_norm0)
        a.relu0 = split(merged_relu0) segments (0, 1)
        a.conv1 = conv(a.relu0) kernel 3
        b.relu0 = split(merged_relu0) segments (1, 2)
        c.conv0 = split(merged_conv0) segments (2, 3)
        c.tanh0 = tanh(c.conv0)
        output.concat0 = concat(a.conv1, b.relu0, c.tanh0)
        """,
        first=(MergeSiblingConvs(),),
    ),
    Case(
        GrowDepthwiseKernels(),
        """input x: image(4, 8, 8)
        a, b = x -> split(2)
        output concat(a -> dwconv(1), b -> dwconv(5, pad = reflect))""",
        """
        a_b.split0 = split(x) segments (0, 1)
        output.dwconv0 = dwconv(a_b.split0) kernel 1
        a_b.split1 = split(x) segments (1, 2)
        output.dwconv1 = dwconv(a_b.split1) kernel 5
        output.concat0 = concat(output.dwconv0, output.dwconv1)
        """,
        """
        a_b.split0 = split(x) segments (0, 1)
        output.dwconv0 = dwconv(a_b.split0) kernel 5
        a_b.split1 = split(x) segments (1, 2)
        output.dwconv1 = dwconv(a_b.split1) kernel 5
        output.concat0 = concat(output.dwconv0, output.dwconv1)
        """,
    ),
    Case(
        MergeSummedConvs(),
        """input x: image(4, 8, 8)
        a = x -> relu
        b = x -> tanh
        output (a -> conv(6, 1)) + ((x -> conv(6, 3)) + (b -> conv(6, 1, bias = false)))""",
        """
        a.relu0 = relu(x)
        output.conv0 = conv(a.relu0) kernel 1
        output.conv1 = conv(x) kernel 3
        b.tanh0 = tanh(x)
        output.conv2 = conv(b.tanh0) kernel 1
        output.add0 = add(output.conv1, output.conv2)
        output.add1 = add(output.conv0, output.add0)
        """,
        """
        a.relu0 = relu(x)
        b.tanh0 = tanh(x)
        output.stack0 = concat(a.relu0, b.tanh0)
        output.merged_conv0 = conv(output.stack0) kernel 1
        output.conv1 = conv(x) kernel 3
        output.add1 = add(output.merged_conv0, output.conv1)
        """,
    ),
    Case(
        JoinSlices(),
        """input x: image(6, 8, 8)
        a, b, c = x -> split(3)
        whole = concat(a, b, c)
        d = concat(b, c) -> relu
        e, f, g = whole -> split(3)
        output concat(d, f -> tanh, whole)""",
        """
        a_b_c.split1 = split(x) segments (1, 2)
        a_b_c.split2 = split(x) segments (2, 3)
        d.concat0 = concat(a_b_c.split1, a_b_c.split2)
        d.relu0 = relu(d.concat0)
        a_b_c.split0 = split(x) segments (0, 1)
        whole.concat0 = concat(a_b_c.split0, a_b_c.split1, a_b_c.split2)
        e_f_g.split1 = split(whole.concat0) segments (1, 2)
        output.tanh0 = tanh(e_f_g.split1)
        output.concat0 = concat(d.relu0, output.tanh0, whole.concat0)
        """,
        """
        a_b_c.slice1 = split(x) segments (1, 3)
        d.relu0 = relu(a_b_c.slice1)
        a_b_c.split1 = split(x) segments (1, 2)
        output.tanh0 = tanh(a_b_c.split1)
        output.concat0 = concat(d.relu0, output.tanh0, x)
        """,
    ),
    Case(
        SharePadding(),
        """input x: image(3, 8, 8)
        output concat(x -> conv(2, 3, pad = reflect), x -> dwconv(3, pad = reflect), x -> conv(2, 5, pad = reflect))""",
        """
        output.conv0 = conv(x) kernel 3
        output.dwconv0 = dwconv(x) kernel 3
        output.conv1 = conv(x) kernel 5
        output.concat0 = concat(output.conv0, output.dwconv0, output.conv1)
        """,
        """
        output.border0 = pad(x)
        output.conv0 = conv(output.border0) kernel 3 padding 0
        output.dwconv0 = dwconv(output.border0) kernel 3 padding 0
        output.conv1 = conv(x) kernel 5
        output.concat0 = concat(output.conv0, output.dwconv0, output.conv1)
        """,
    ),
    Case(
        ShareEqualNodes(),
        """input x: image(3, 8, 8)
        seg = x -> avg_pool(2)
        a = x -> conv(3, 3) -> relu
        b = a -> conv(3, 1) -> tanh
        output concat(seg -> resize(like = a, nearest), seg -> resize(like = b, nearest), b)""",
        """
        seg.avg_pool0 = avg_pool(x)
        a.conv0 = conv(x) kernel 3
        a.relu0 = relu(a.conv0)
        output.resize0 = resize(seg.avg_pool0, a.relu0)
        b.conv0 = conv(a.relu0) kernel 1
        b.tanh0 = tanh(b.conv0)
        output.resize1 = resize(seg.avg_pool0, b.tanh0)
        output.concat0 = concat(output.resize0, output.resize1, b.tanh0)
        """,
        """
        seg.avg_pool0 = avg_pool(x)
        output.resize0 = resize(seg.avg_pool0, x)
        a.conv0 = conv(x) kernel 3
        a.relu0 = relu(a.conv0)
        b.conv0 = conv(a.relu0) kernel 1
        b.tanh0 = tanh(b.conv0)
        output.concat0 = concat(output.resize0, output.resize0, b.tanh0)
        """,
    ),
    Case(
        DropDead(inference=True),
        """input x: image(3, 8, 8)
        a = x -> scale(1) -> conv(3, 3) -> dropout(0.5) -> relu
        output sum(a for i in [1]) -> pad(0, zero)""",
        """
        a.scale0 = scale(x)
        a.conv0 = conv(a.scale0) kernel 3
        a.dropout0 = dropout(a.conv0)
        a.relu0 = relu(a.dropout0)
        output.pad0 = pad(a.relu0)
        """,
        """
        a.conv0 = conv(x) kernel 3
        a.relu0 = relu(a.conv0)
        """,
    ),
    Case(
        FoldBatchNorms(),
        """input x: image(3, 8, 8)
        a = x -> conv(4, 3, bias = false) -> batch_norm
        b = a -> batch_norm(affine = false)
        c = ((b -> conv(4, 1) -> batch_norm) + (x -> conv(4, 3))) -> batch_norm
        output c -> deconv(2, 3) -> batch_norm""",
        """
        a.conv0 = conv(x) kernel 3
        a.batch_norm0 = batch_norm(a.conv0)
        b.batch_norm0 = batch_norm(a.batch_norm0)
        c.conv0 = conv(b.batch_norm0) kernel 1
        c.batch_norm0 = batch_norm(c.conv0)
        c.conv1 = conv(x) kernel 3
        c.add0 = add(c.batch_norm0, c.conv1)
        c.batch_norm1 = batch_norm(c.add0)
        output.deconv0 = deconv(c.batch_norm1) kernel 3
        output.batch_norm0 = batch_norm(output.deconv0)
        """,
        """
        a.conv0 = conv(x) kernel 3
        c.conv0 = conv(a.conv0) kernel 1
        c.conv1 = conv(x) kernel 3
        c.add0 = add(c.conv0, c.conv1)
        output.deconv0 = deconv(c.add0) kernel 3
        """,
    ),
    Case(
        SettleSpectralNorms(),
        """input x: image(3, 8, 8)
        output x -> conv(4, 3, spectral = true) -> relu -> deconv(2, 3, spectral = true, bias = false)""",
        """
        output.conv0 = conv(x) kernel 3 spectral
        output.relu0 = relu(output.conv0)
        output.deconv0 = deconv(output.relu0) kernel 3 spectral
        """,
        """
        output.conv0 = conv(x) kernel 3
        output.relu0 = relu(output.conv0)
        output.deconv0 = deconv(output.relu0) kernel 3
        """,
    ),
    Case(
        BlockPixels(),
        """input x: image(4, 8, 8)
        output x -> resize(scale = 2, nearest) -> conv(3, 5, pad = reflect) -> tanh""",
        """
        output.resize0 = resize(x)
        output.conv0 = conv(output.resize0) kernel 5
        output.tanh0 = tanh(output.conv0)
        """,
        """
        output.resize0 = resize(x)
        output.blocked_conv0 = conv(output.resize0) kernel 6 padding 2
        output.conv0 = pixel_shuffle(output.blocked_conv0)
        output.tanh0 = tanh(output.conv0)
        """,
    ),
    Case(
        ScatterNarrowConvs(),
        """input x: image(12, 8, 8)
        a = x -> conv(3, 5, pad = reflect)
        b = x -> conv(3, 4, pad = zero, padding = 2, bias = false)
        output concat(a -> resize(like = b), b)""",
        """
        a.conv0 = conv(x) kernel 5
        b.conv0 = conv(x) kernel 4 padding 2
        output.resize0 = resize(a.conv0, b.conv0)
        output.concat0 = concat(output.resize0, b.conv0)
        """,
        """
        a.border0 = pad(x)
        a.conv0 = scatter_conv(a.border0) kernel 5 padding 0
        b.conv0 = scatter_conv(x) kernel 4 padding 2
        output.resize0 = resize(a.conv0, b.conv0)
        output.concat0 = concat(output.resize0, b.conv0)
        """,
    ),
)
