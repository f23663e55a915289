"""The doors, and every command that has each: a table of command lines, with `{}` for what is hostile."""

from dataclasses import dataclass

Words = tuple[str, ...]

_STEPS = ("--steps", "2", "--budget", "40%")


@dataclass(frozen=True, slots=True)
class Doors:
    """Command lines by name; `{}` stands for the run, the file or the folder that comes from elsewhere."""

    commands: dict[str, Words]

    def __iter__(self):
        return iter(self.commands)

    def words(self, name: str, given: str) -> Words:
        return tuple(word.replace("{}", given) for word in self.commands[name])


RUN = Doors(
    {
        "translate": ("translate", "{}", "photo.png", "-o", "painted"),
        "translate --use-teacher": ("translate", "{}", "photo.png", "-o", "painted", "--use-teacher"),
        "export": ("export", "{}", "-o", "x.py"),
        "export --use-teacher": ("export", "{}", "-o", "x.py", "--use-teacher"),
        "export --web": ("export", "{}", "--web", "-o", "page"),
        "evaluate": ("evaluate", "{}"),
        "bench": ("bench", "{}", "--runs", "1", "--forms", "eager"),
        "explain-plan": ("explain-plan", "{}"),
        "compare": ("compare", "{}"),
        "plan": ("plan", "tiny.cat", "--budget", "40%", "--teacher", "{}", "-o", "planned/student.cat"),
        "sweep": ("sweep", "tiny.cat", "--budgets", "40%", "--teacher", "{}", "-o", "front"),
        "graph": ("graph", "tiny.cat", "--teacher", "{}", "-o", "page.html"),
        "compress --teacher": ("compress", "tiny.cat", *_STEPS, "--teacher", "{}", "-o", "new"),
        "compress --resume": ("compress", "tiny.cat", *_STEPS, "-o", "{}", "--resume"),
        "distill": (
            "distill", "tiny.cat", "--steps", "2", "--student", "sibling/student.cat", "--teacher", "{}", "-o", "new",
        ),
    }
)  # fmt: skip
"""A run folder. `distill` takes the student of another run, so that only its teacher is in question."""

TEACHERS = tuple(name for name in RUN if name not in ("translate", "export", "export --web", "explain-plan", "compare"))
"""The commands of a run that read its teacher's weights."""

STUDENTS = ("translate", "export", "evaluate", "bench", "compress --resume")
"""The commands of a run that read its student's weights."""

WEIGHTS = Doors(
    {
        "translate": ("translate", "tiny.cat", "photo.png", "-o", "painted", "--weights", "{}"),
        "export": ("export", "tiny.cat", "-o", "x.py", "--weights", "{}"),
        "plan": ("plan", "tiny.cat", "--budget", "40%", "--teacher", "{}", "-o", "planned/student.cat"),
        "sweep": ("sweep", "tiny.cat", "--budgets", "40%", "--teacher", "{}", "-o", "front"),
        "graph": ("graph", "tiny.cat", "--teacher", "{}", "-o", "page.html"),
        "compress": ("compress", "tiny.cat", *_STEPS, "--teacher", "{}", "-o", "new"),
        "distill": (
            "distill", "tiny.cat", "--steps", "2", "--student", "sibling/student.cat", "--teacher", "{}", "-o", "new",
        ),
        "import-weights": ("import-weights", "tiny.cat", "{}", "-o", "imported.safetensors"),
    }
)  # fmt: skip
"""A .safetensors file of weights."""

SCORES = Doors(
    {
        "plan": ("plan", "tiny.cat", "--budget", "40%", "--scores", "{}", "-o", "planned/student.cat"),
        "sweep": ("sweep", "tiny.cat", "--budgets", "40%", "--scores", "{}", "-o", "front"),
        "graph": ("graph", "tiny.cat", "--scores", "{}", "-o", "page.html"),
    }
)

SPEC = Doors(
    {
        "check": ("check", "{}"),
        "fmt": ("fmt", "{}"),
        "info": ("info", "{}"),
        "build": ("build", "{}", "-o", "built"),
        "graph": ("graph", "{}"),
        "graph --diff": ("graph", "tiny.cat", "--diff", "{}"),
        "plan": ("plan", "{}", "--budget", "40%", "--teacher", "run", "-o", "planned/student.cat"),
        "sweep": ("sweep", "{}", "--budgets", "40%", "--teacher", "run", "-o", "front"),
        "train": ("train", "{}", "--steps", "1", "-o", "new"),
        "compress": ("compress", "{}", "--budget", "40%", "--steps", "1", "-o", "new"),
        "distill": ("distill", "{}", "--student", "run/student.cat", "--teacher", "run", "-o", "new"),
        "distill --student": ("distill", "tiny.cat", "--student", "{}", "--teacher", "run", "-o", "new"),
        "translate": ("translate", "{}", "photo.png", "-o", "painted", "--weights", "run/teacher/weights.safetensors"),
        "export": ("export", "{}", "-o", "x.py", "--weights", "run/teacher/weights.safetensors"),
        "bench": ("bench", "{}", "--runs", "1", "--forms", "eager"),
        "measure": ("measure", "{}", "-o", "times.json"),
        "import-weights": ("import-weights", "{}", "run/teacher/weights.safetensors", "-o", "imported.safetensors"),
    }
)

TIMES = Doors(
    {
        "plan": ("plan", "tiny.cat", "--budget", "latency=50%", "--teacher", "run", "--times", "{}", "-o", "p/s.cat"),
        "sweep": ("sweep", "tiny.cat", "--budgets", "latency=50%", "--teacher", "run", "--times", "{}", "-o", "front"),
        "compress": ("compress", "tiny.cat", "--budget", "latency=50%", "--times", "{}", "-o", "new"),
        "measure": ("measure", "tiny.cat", "-o", "{}"),
    }
)

CHECKPOINT = Doors(
    {
        "compress --resume": ("compress", "tiny.cat", *_STEPS, "-o", "{}", "--resume"),
        "compress --teacher": ("compress", "tiny.cat", *_STEPS, "--teacher", "{}", "-o", "new"),
        "distill": (
            "distill", "tiny.cat", "--steps", "2", "--student", "sibling/student.cat", "--teacher", "{}", "-o", "new",
        ),
    }
)  # fmt: skip
"""A run folder whose teacher's checkpoint is in question: it holds the discriminator that a student begins with."""

PICTURE = Doors(
    {
        "translate": ("translate", "run", "{}", "-o", "painted"),
        "translate --weights": (
            "translate", "tiny.cat", "{}", "-o", "painted", "--weights", "run/teacher/weights.safetensors",
        ),
    }
)  # fmt: skip

FOLDER = Doors(
    {
        "data check": ("data", "check", "{}"),
        "train": ("train", "tiny.cat", "--data", "{}", "--steps", "1", "-o", "new"),
        "compress": ("compress", "tiny.cat", "--data", "{}", *_STEPS, "-o", "new"),
        "evaluate": ("evaluate", "run", "--data", "{}"),
        "translate": ("translate", "run", "{}", "-o", "painted"),
    }
)
"""A folder of pictures."""
