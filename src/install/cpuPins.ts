/**
 * Files of TensorFlow 2.21 for the CPU.
 * Sizes and hashes are those of each wheel's own RECORD; members that training does not need are left out.
 */
import type { WheelPin } from './pins';

export const CPU_WHEELS: readonly WheelPin[] = [
  {
    project: 'tensorflow-cpu',
    file: 'tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl',
    members: [
      {
        member: 'tensorflow/libtensorflow_cc.so.2',
        path: 'tensorflow/libtensorflow_cc.so.2',
        bytes: 788086608,
        packedBytes: 172436101,
        sha256: '6505a4b9657e62100c6bdacb683957a395cb047725042945aaa50e40a71e429e',
      },
      {
        member: 'tensorflow/libtensorflow_framework.so.2',
        path: 'tensorflow/libtensorflow_framework.so.2',
        bytes: 65222328,
        packedBytes: 19634637,
        sha256: 'f060b323b26ef80add21b9df9428de3aeaf2843d772c5bb098745f7abff3709b',
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
];
