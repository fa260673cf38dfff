# Spack's recipe: spack repo add packaging/spack && spack install autombpo
import os

from spack_repo.builtin.build_systems.cmake import CMakePackage

from spack.package import *


class Autombpo(CMakePackage):
    """Trains populations of model-based reinforcement learning runs on CPUs, and the controller
    that schedules their hyperparameters, over MPI."""

    # the sources that this recipe is a part of
    git = "file://" + os.path.abspath(os.path.join(os.path.dirname(__file__), *4 * [".."]))

    license("MIT")

    version("0.2.0", branch="main")

    variant("native", default=True, description="Compile for the CPU of this machine alone")
    variant("bullet", default=False, description="The Bullet tasks, where bullet-float64 is found")
    variant("analysis", default=True, description="What the Python package of reports needs")

    # Spack's MuJoCo is older than what is needed: the library and headers of the wheel.
    resource(
        name="mujoco",
        url="https://files.pythonhosted.org/packages/cp310/m/mujoco/"
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
    depends_on("hdf5~mpi+hl")
    depends_on("openblas threads=none")
    depends_on("libyaml")
    depends_on("random123", type="build")
    with when("+analysis"):
        depends_on("python@3.9:", type="run")
        for name in ("numpy", "h5py", "matplotlib", "jinja2"):
            depends_on(f"py-{name}", type="run")

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
