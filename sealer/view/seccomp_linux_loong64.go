package view

import "golang.org/x/sys/unix"

const auditArchitecture = unix.AUDIT_ARCH_LOONGARCH64

var refusedHere []uint32
