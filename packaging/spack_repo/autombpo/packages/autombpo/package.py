# Spack's recipe (Spack 1.0 or later): spack repo add packaging/spack_repo/autombpo && spack install autombpo
import os
from pathlib import Path

from spack_repo.builtin.build_systems.cmake import CMakePackage

from spack.package import *


class Autombpo(CMakePackage):
    """Trains populations of model-based reinforcement learning runs on CPUs, and the controller
    that schedules their hyperparameters, over MPI."""

    # the sources that this recipe is a part of
    git = Path(__file__).resolve().parents[5].as_uri()

    license("MIT")

    version("0.2.0", branch="main")

    variant("native", default=True, description="Compile for the CPU of this machine alone")
    variant("bullet", default=False, description="The Bullet tasks, where bullet-float64 is found")
    variant("analysis", default=True, description="What the Python package of reports needs")

    # Spack's MuJoCo is older than what is needed: the library and headers of the wheel.
    resource(
        name="mujoco",
        url="https://files.pythonhosted.org/packages/96/2a/"
        "cfa528d4a44bc9215bdd9c4f1b46f0d658408115b4c76b71fadeaea422f6/"
        "mujoco-2.3.7-cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        sha256="ab85fafc9d5a091c712947573b7e694512d283876bf7f33ae3f8daad3a20c0db",
        expand=False,
        placement="mujoco-wheel",
    )

    depends_on("c", type="build")
    depends_on("cxx", type="build", when="+bullet")
    depends_on("cmake@3.21:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("unzip", type="build")
    depends_on("mpi")
    depends_on("hdf5~mpi")
    depends_on("openblas threads=none")
    depends_on("libyaml")
    depends_on("random123", type="build")
    with when("+analysis"):
        depends_on("python@3.9:", type="run")
        depends_on("py-numpy", type="run")
        depends_on("py-h5py~mpi", type="run")
        depends_on("py-matplotlib", type="run")
        depends_on("py-jinja2", type="run")

    conflicts("target=aarch64:", msg="the matrix kernels are for x86-64")

    @run_before("cmake")
    def unpack_mujoco(self):
        place = join_path(self.stage.source_path, "mujoco-wheel")
        which("unzip")("-q", find(place, "*.whl")[0], "mujoco/include/*", "mujoco/libmujoco*", "-d", place)

    def cmake_args(self):
        return [
            self.define("MUJOCO_DIR", os.path.join(self.stage.source_path, "mujoco-wheel", "mujoco")),
            self.define_from_variant("AUTOMBPO_NATIVE", "native"),
            self.define_from_variant("AUTOMBPO_BULLET", "bullet"),
            self.define("AUTOMBPO_RENDER", False),
            self.define("AUTOMBPO_TESTS", False),
        ]

    @run_after("install")
    @on_package_attributes(run_tests=True)
    def check_run(self):
        autombpo = Executable(self.prefix.bin.autombpo)
        with working_dir(self.build_directory):
            autombpo("train", "-q", "run.dir=check", "ppo.stages=[1]", "ppo.episodes_per_update=1",
                     "hyper.train_epochs=1")
            autombpo("inspect", "--verify", "check")
