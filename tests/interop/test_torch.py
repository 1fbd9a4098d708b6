"""Networks in PyTorch: the same outputs there and here, and what has no counterpart is named."""

import math
import random
import textwrap

import pytest

np = pytest.importorskip("numpy")

from networks import NAMES, SHAPES, assert_equal, broken, made, samples, scores  # noqa: E402

from micrograd.errors import ArgumentError, ArgumentTypeError, InputCountError  # noqa: E402
from micrograd.interop import from_torch, to_torch  # noqa: E402


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.mark.parity
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("nin", "nouts"), SHAPES)
def test_torch_gives_the_same_outputs(torch, name, nin, nouts):
    model = made(nin, nouts, name)
    rows = samples(nin)
    module = to_torch(model)
    assert isinstance(module, torch.nn.Sequential)
    with torch.no_grad():
        assert_equal(module(torch.tensor(rows, dtype=torch.float64)).numpy(), scores(model, rows))
    again = from_torch(module)
    assert again.state_dict() == model.state_dict()
    assert_equal(scores(again, rows), scores(model, rows), 0)


@pytest.mark.parity
def test_the_example_of_to_torch_runs(torch):
    text = textwrap.dedent(to_torch.__doc__.split("::\n", 1)[1])
    assert "assert" in text
    exec(text, {})


@pytest.mark.parity
def test_torch_gradients_are_the_same_too(torch):
    model = made(2, [6, 1], "silu")
    module = to_torch(model)
    x = [0.3, -1.2]
    model(x).backward()
    module(torch.tensor([x], dtype=torch.float64)).sum().backward()
    linear = module[0]
    for i, neuron in enumerate(model.layers[0].neurons):
        found = [w.grad for w in neuron.w] + [neuron.b.grad]
        wanted = [*linear.weight.grad[i].tolist(), linear.bias.grad[i].item()]
        assert found == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parity
def test_a_module_made_in_torch_comes_in(torch):
    nn = torch.nn
    torch.manual_seed(3)
    module = nn.Sequential(
        nn.Linear(3, 4, bias=False),
        nn.Sequential(nn.Tanh(), nn.Identity(), nn.Linear(4, 5)),
        nn.Linear(5, 5),
        nn.ReLU(inplace=True),
        nn.Linear(5, 2),
        nn.Sigmoid(),
    )  # float32
    assert len(set(to_torch(made(nouts=(2, 2, 1))))) == 5, "each module has one place"
    model = from_torch(module)
    assert model.activation == ["tanh", "linear", "relu", "sigmoid"]
    rows = samples(3)
    with torch.no_grad():
        wanted = module.double()(torch.tensor(rows, dtype=torch.float64)).numpy()
    assert_equal(scores(model, rows), wanted)


@pytest.mark.parity
def test_one_module_in_two_places_comes_in_twice(torch):
    nn = torch.nn
    fire = nn.Tanh()
    module = nn.Sequential(nn.Linear(2, 3), fire, nn.Linear(3, 3), fire, nn.Linear(3, 1)).double()
    model = from_torch(module)
    with torch.no_grad():
        wanted = module(torch.tensor(samples(2), dtype=torch.float64)).numpy()
    assert_equal(scores(model, samples(2)), wanted)


@pytest.mark.parity
def test_going_out_and_in_draws_no_random_number(torch):
    model = made()
    random.seed(1)
    torch.manual_seed(1)
    wanted = random.random(), torch.rand(1).item()
    random.seed(1)
    torch.manual_seed(1)
    from_torch(to_torch(model))
    assert (random.random(), torch.rand(1).item()) == wanted


@pytest.mark.parity
def test_the_copies_share_nothing(torch):
    model = made()
    module, before = to_torch(model), model.state_dict()
    with torch.no_grad():
        module[0].weight.zero_()
    assert model.state_dict() == before


@pytest.mark.parity
def test_modules_without_counterpart_are_named(torch):
    nn = torch.nn

    class Louder(nn.ReLU):
        def forward(self, x):
            return 2 * super().forward(x)

    for parts, kind, told in [
        ([nn.Linear(2, 2), nn.Dropout(0.5)], ArgumentError, r"module 1 is Dropout\(p=0.5"),
        ([nn.Linear(2, 2), nn.LeakyReLU(0.2)], ArgumentError, r"LeakyReLU\(negative_slope=0.2\)"),
        ([nn.Linear(2, 2), nn.ELU(2.0)], ArgumentError, r"ELU\(alpha=2.0\)"),
        ([nn.Linear(2, 2), nn.GELU("tanh")], ArgumentError, "GELU"),
        ([nn.Linear(2, 2), nn.Softplus(beta=2)], ArgumentError, "Softplus"),
        ([nn.Linear(2, 2), nn.Softmax(1)], ArgumentError, "Softmax"),
        ([nn.Linear(2, 2), Louder()], ArgumentError, "Louder"),
        ([nn.Linear(2, 2), nn.Sequential(nn.Conv1d(1, 1, 1))], ArgumentError, "module 1.0 is Conv"),
        ([nn.ReLU(), nn.Linear(2, 2)], ArgumentError, "does not follow a Linear"),
        ([nn.Linear(2, 2), nn.ReLU(), nn.Tanh()], ArgumentError, "module 2, Tanh"),
        ([nn.Linear(2, 3), nn.Linear(2, 1)], InputCountError, "follows a layer of 3"),
        ([nn.Linear(2, 2, dtype=torch.complex64)], ArgumentError, "complex64"),
        ([nn.Linear(2, 2, device="meta")], ArgumentError, "holds no data"),
        ([], ArgumentError, "without a Linear"),
    ]:
        with pytest.raises(kind, match=told):
            from_torch(nn.Sequential(*parts))
    with pytest.raises(ArgumentTypeError, match=r"expected a torch\.nn\.Sequential"):
        from_torch(nn.Linear(2, 1))


@pytest.mark.parity
def test_a_parameter_that_is_not_finite_does_not_go_to_torch(torch):
    with pytest.raises(ArgumentError, match="layer 0, neuron 2: b is nan"):
        to_torch(broken("b", math.nan))
