/**
 * Files of TensorFlow 2.21 with CUDA, and the CUDA 12.8 and cuDNN 9.10 libraries it opens: within the bounds of its
 * `and-cuda` extra (CUDA 12, cuDNN 9, NCCL from 2.27.7), and from compute capability 5.0 to 12.0.
 * Sizes and hashes are those of each wheel's own RECORD; members that training does not need are left out.
 */
import type { WheelPin } from './pins';

export const CUDA_WHEELS: readonly WheelPin[] = [
  {
    project: 'tensorflow',
    file: 'tensorflow-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl',
    members: [
      {
        member: 'tensorflow/libtensorflow_cc.so.2',
        path: 'tensorflow/libtensorflow_cc.so.2',
        bytes: 1096372272,
        packedBytes: 358122329,
        sha256: '2889ecc99d7641620f41a4bea538f4dd4b626f75aa3e12623161ae939054191c',
      },
      {
        member: 'tensorflow/libtensorflow_framework.so.2',
        path: 'tensorflow/libtensorflow_framework.so.2',
        bytes: 162648808,
        packedBytes: 68971088,
        sha256: '98847c6f0448308159f6d3ff55e13a9e92978598c7fbb34cde63aadf35c6fe84',
      },
      {
        member: 'tensorflow/include/LICENSE',
        path: 'LICENSE',
        bytes: 11361,
        packedBytes: 3949,
        sha256: 'c79a7fea0e3cac04cd43f20e7b648e5a0ff8fa5344e644b0ee09ca1162b62747',
      },
      {
        member: 'tensorflow/THIRD_PARTY_NOTICES.txt',
        path: 'THIRD_PARTY_NOTICES',
        bytes: 466978,
        packedBytes: 87953,
        sha256: 'b9cc03566b8e0e074f718e64f96f49b6fe070e3f777c41b3d4bb0df7113ea634',
      },
    ],
  },
  {
    project: 'nvidia-cublas-cu12',
    file: 'nvidia_cublas_cu12-12.8.4.1-py3-none-manylinux_2_27_x86_64.whl',
    members: [
      {
        member: 'nvidia/cublas/lib/libcublas.so.12',
        path: 'nvidia/cublas/lib/libcublas.so.12',
        bytes: 116388640,
        packedBytes: 88227261,
        sha256: '031ce6c2cbfbb9468f040527cab5c599069ce5609e73e28f87503881063eac21',
      },
      {
        member: 'nvidia/cublas/lib/libcublasLt.so.12',
        path: 'nvidia/cublas/lib/libcublasLt.so.12',
        bytes: 751771728,
        packedBytes: 505832009,
        sha256: '10b5e6631cf8115c661eb895ed1533826308b58f7956466f53d236a40c9b622c',
      },
      {
        member: 'nvidia_cublas_cu12-12.8.4.1.dist-info/License.txt',
        path: 'nvidia/cublas/License.txt',
        bytes: 59262,
        packedBytes: 14143,
        sha256: 'ad6f5853fba0ca0d159d0f58d49ae49830c2f8c93f7a92648b9ce90adb4c6ccd',
      },
    ],
  },
  {
    project: 'nvidia-cuda-cupti-cu12',
    file: 'nvidia_cuda_cupti_cu12-12.8.90-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
    members: [
      {
        member: 'nvidia/cuda_cupti/lib/libcupti.so.12',
        path: 'nvidia/cuda_cupti/lib/libcupti.so.12',
        bytes: 7595792,
        packedBytes: 2328460,
        sha256: 'fccdc5fcc7c32f8cf4b3ed9b17f7f187a185a6fa0a5bcc06e3434cbd1687c808',
      },
      {
        member: 'nvidia_cuda_cupti_cu12-12.8.90.dist-info/License.txt',
        path: 'nvidia/cuda_cupti/License.txt',
        bytes: 59262,
        packedBytes: 14143,
        sha256: 'ad6f5853fba0ca0d159d0f58d49ae49830c2f8c93f7a92648b9ce90adb4c6ccd',
      },
    ],
  },
  {
    project: 'nvidia-cuda-nvcc-cu12',
    file: 'nvidia_cuda_nvcc_cu12-12.8.93-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl',
    members: [
      {
        member: 'nvidia/cuda_nvcc/bin/ptxas',
        path: 'nvidia/cuda_nvcc/bin/ptxas',
        bytes: 31912192,
        packedBytes: 10851335,
        sha256: 'c960a4f238b17d5c5d3c01ad2bbc1ebd2c5aecc459cb4d223bff10b45f9b8fca',
        executable: true,
      },
      {
        member: 'nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc',
        path: 'nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc',
        bytes: 484900,
        packedBytes: 278114,
        sha256: '25498d6e3c64782833ff15a5f56665ff09e5d21177163148a1cf008c61733449',
      },
      {
        member: 'nvidia_cuda_nvcc_cu12-12.8.93.dist-info/License.txt',
        path: 'nvidia/cuda_nvcc/License.txt',
        bytes: 59262,
        packedBytes: 14143,
        sha256: 'ad6f5853fba0ca0d159d0f58d49ae49830c2f8c93f7a92648b9ce90adb4c6ccd',
      },
    ],
  },
  {
    project: 'nvidia-cuda-nvrtc-cu12',
    file: 'nvidia_cuda_nvrtc_cu12-12.8.93-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl',
    members: [
      {
        member: 'nvidia/cuda_nvrtc/lib/libnvrtc-builtins.so.12.8',
        path: 'nvidia/cuda_nvrtc/lib/libnvrtc-builtins.so.12.8',
        bytes: 6338504,
        packedBytes: 1388771,
        sha256: 'eccaa824230ee7858a94a3055cb01f1cb634df05d313880d0bdcf195161fcb4e',
      },
      {
        member: 'nvidia/cuda_nvrtc/lib/libnvrtc.so.12',
        path: 'nvidia/cuda_nvrtc/lib/libnvrtc.so.12',
        bytes: 104487248,
        packedBytes: 42597845,
        sha256: '43731e24cd89e3749826304f304e8aa11fbecf1188715271b1f5018d6212b5e6',
      },
      {
        member: 'nvidia_cuda_nvrtc_cu12-12.8.93.dist-info/License.txt',
        path: 'nvidia/cuda_nvrtc/License.txt',
        bytes: 59262,
        packedBytes: 14143,
        sha256: 'ad6f5853fba0ca0d159d0f58d49ae49830c2f8c93f7a92648b9ce90adb4c6ccd',
      },
    ],
  },
  {
    project: 'nvidia-cuda-runtime-cu12',
    file: 'nvidia_cuda_runtime_cu12-12.8.90-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
    members: [
      {
        member: 'nvidia/cuda_runtime/lib/libcudart.so.12',
        path: 'nvidia/cuda_runtime/lib/libcudart.so.12',
        bytes: 728800,
        packedBytes: 214202,
        sha256: 'c3a75b33af334a3486d197dbd1584a2985183ba4688d237a2be5f2f679329920',
      },
      {
        member: 'nvidia_cuda_runtime_cu12-12.8.90.dist-info/License.txt',
        path: 'nvidia/cuda_runtime/License.txt',
        bytes: 59262,
        packedBytes: 14143,
        sha256: 'ad6f5853fba0ca0d159d0f58d49ae49830c2f8c93f7a92648b9ce90adb4c6ccd',
      },
    ],
  },
  {
    project: 'nvidia-cudnn-cu12',
    file: 'nvidia_cudnn_cu12-9.10.2.21-py3-none-manylinux_2_27_x86_64.whl',
    members: [
      {
        member: 'nvidia/cudnn/lib/libcudnn.so.9',
        path: 'nvidia/cudnn/lib/libcudnn.so.9',
        bytes: 125136,
        packedBytes: 40889,
        sha256: '3b68ea689be647bce63cb3c2d9edb589add415405a7e9f296d69ca029cae0b8b',
      },
      {
        member: 'nvidia/cudnn/lib/libcudnn_adv.so.9',
        path: 'nvidia/cudnn/lib/libcudnn_adv.so.9',
        bytes: 285226600,
        packedBytes: 206005062,
        sha256: '9814d64e04fce1f6cbd16d02ccefd6611541b3c61736fb450e334b482635ca07',
      },
      {
        member: 'nvidia/cudnn/lib/libcudnn_cnn.so.9',
        path: 'nvidia/cudnn/lib/libcudnn_cnn.so.9',
        bytes: 6301096,
        packedBytes: 3396559,
        sha256: '655c2d2649466c73b6b4c19705fb6906fd95e331a1f8218314b49f37dd7cafed',
      },
      {
        member: 'nvidia/cudnn/lib/libcudnn_engines_precompiled.so.9',
        path: 'nvidia/cudnn/lib/libcudnn_engines_precompiled.so.9',
        bytes: 547383096,
        packedBytes: 366509702,
        sha256: 'f504745d346542609f975de51227080647d3675eac576ead82c396b8124f8f28',
      },
      {
        member: 'nvidia/cudnn/lib/libcudnn_engines_runtime_compiled.so.9',
        path: 'nvidia/cudnn/lib/libcudnn_engines_runtime_compiled.so.9',
        bytes: 23094328,
        packedBytes: 12412394,
        sha256: '8222672743c4f2e39feb1c365d6f6b6c40f56023471506f49944910847f1ee0a',
      },
      {
        member: 'nvidia/cudnn/lib/libcudnn_graph.so.9',
        path: 'nvidia/cudnn/lib/libcudnn_graph.so.9',
        bytes: 4439912,
        packedBytes: 1312456,
        sha256: '787c955dce49091ead850e4536666594095ea9f92a8a08879d8ddad466674657',
      },
      {
        member: 'nvidia/cudnn/lib/libcudnn_heuristic.so.9',
        path: 'nvidia/cudnn/lib/libcudnn_heuristic.so.9',
        bytes: 58726712,
        packedBytes: 20602730,
        sha256: '2804eee5f6fc11d0299ba07687eda0a974d3b2436357c639706c4e282cc2cc05',
      },
      {
        member: 'nvidia/cudnn/lib/libcudnn_ops.so.9',
        path: 'nvidia/cudnn/lib/libcudnn_ops.so.9',
        bytes: 127936080,
        packedBytes: 96396531,
        sha256: '34f56d67f3df108949d1e5e03543064e055e217d0f5e53dc6d4f7c9454d852f8',
      },
      {
        member: 'nvidia_cudnn_cu12-9.10.2.21.dist-info/licenses/License.txt',
        path: 'nvidia/cudnn/License.txt',
        bytes: 18174,
        packedBytes: 6875,
        sha256: '49cf79bdb35734b52fe6203013b3bd759f81e998cd32aa2c65c51db9a88c61d2',
      },
    ],
  },
  {
    project: 'nvidia-cufft-cu12',
    file: 'nvidia_cufft_cu12-11.3.3.83-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
    members: [
      {
        member: 'nvidia/cufft/lib/libcufft.so.11',
        path: 'nvidia/cufft/lib/libcufft.so.11',
        bytes: 278925016,
        packedBytes: 192756321,
        sha256: '5c912146449614f9d73ebd1a5cb604242da6b819d94ba5b4a99272a0649f3761',
      },
      {
        member: 'nvidia_cufft_cu12-11.3.3.83.dist-info/License.txt',
        path: 'nvidia/cufft/License.txt',
        bytes: 59262,
        packedBytes: 14143,
        sha256: 'ad6f5853fba0ca0d159d0f58d49ae49830c2f8c93f7a92648b9ce90adb4c6ccd',
      },
    ],
  },
  {
    project: 'nvidia-curand-cu12',
    file: 'nvidia_curand_cu12-10.3.9.90-py3-none-manylinux_2_27_x86_64.whl',
    members: [
      {
        member: 'nvidia/curand/lib/libcurand.so.10',
        path: 'nvidia/curand/lib/libcurand.so.10',
        bytes: 136749240,
        packedBytes: 63108995,
        sha256: 'f9bea038a2703b721571fd45a299a898141fd8cb264a5912635c95116f5960fe',
      },
      {
        member: 'nvidia_curand_cu12-10.3.9.90.dist-info/License.txt',
        path: 'nvidia/curand/License.txt',
        bytes: 59262,
        packedBytes: 14143,
        sha256: 'ad6f5853fba0ca0d159d0f58d49ae49830c2f8c93f7a92648b9ce90adb4c6ccd',
      },
    ],
  },
  {
    project: 'nvidia-cusolver-cu12',
    file: 'nvidia_cusolver_cu12-11.7.3.90-py3-none-manylinux_2_27_x86_64.whl',
    members: [
      {
        member: 'nvidia/cusolver/lib/libcusolver.so.11',
        path: 'nvidia/cusolver/lib/libcusolver.so.11',
        bytes: 243303872,
        packedBytes: 165486010,
        sha256: 'b64b838bf3e2f27373a59312aff73a5fb7e452300c4048db353a7f30d009a1d7',
      },
      {
        member: 'nvidia_cusolver_cu12-11.7.3.90.dist-info/License.txt',
        path: 'nvidia/cusolver/License.txt',
        bytes: 59262,
        packedBytes: 14143,
        sha256: 'ad6f5853fba0ca0d159d0f58d49ae49830c2f8c93f7a92648b9ce90adb4c6ccd',
      },
    ],
  },
  {
    project: 'nvidia-cusparse-cu12',
    file: 'nvidia_cusparse_cu12-12.5.8.93-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
    members: [
      {
        member: 'nvidia/cusparse/lib/libcusparse.so.12',
        path: 'nvidia/cusparse/lib/libcusparse.so.12',
        bytes: 387990224,
        packedBytes: 288181152,
        sha256: '437651d1ec5d0e5b1b4d07b8c492f153cb4825222fe2d763232a407f667d9bb2',
      },
      {
        member: 'nvidia_cusparse_cu12-12.5.8.93.dist-info/License.txt',
        path: 'nvidia/cusparse/License.txt',
        bytes: 59262,
        packedBytes: 14143,
        sha256: 'ad6f5853fba0ca0d159d0f58d49ae49830c2f8c93f7a92648b9ce90adb4c6ccd',
      },
    ],
  },
  {
    project: 'nvidia-nccl-cu12',
    file: 'nvidia_nccl_cu12-2.27.7-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
    members: [
      {
        member: 'nvidia/nccl/lib/libnccl.so.2',
        path: 'nvidia/nccl/lib/libnccl.so.2',
        bytes: 430126192,
        packedBytes: 322537125,
        sha256: '6c1668de8ee712a46ac0a5d2d77fdff0e35b5e0869fb83ff4875088f39dea2b8',
      },
      {
        member: 'nvidia_nccl_cu12-2.27.7.dist-info/licenses/License.txt',
        path: 'nvidia/nccl/License.txt',
        bytes: 1895,
        packedBytes: 988,
        sha256: '0f0174a6b4e0b33ac26375bf729533075b32f4c51a5b6802a3d742d7dcdc9a76',
      },
    ],
  },
  {
    project: 'nvidia-nvjitlink-cu12',
    file: 'nvidia_nvjitlink_cu12-12.8.93-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl',
    members: [
      {
        member: 'nvidia/nvjitlink/lib/libnvJitLink.so.12',
        path: 'nvidia/nvjitlink/lib/libnvJitLink.so.12',
        bytes: 94101392,
        packedBytes: 39234222,
        sha256: '0369e6867d44b800437de4e146d72c65afc6c75adf677a15c2ecd8e6a7ac135f',
      },
      {
        member: 'nvidia_nvjitlink_cu12-12.8.93.dist-info/License.txt',
        path: 'nvidia/nvjitlink/License.txt',
        bytes: 59262,
        packedBytes: 14143,
        sha256: 'ad6f5853fba0ca0d159d0f58d49ae49830c2f8c93f7a92648b9ce90adb4c6ccd',
      },
    ],
  },
];
