package view

import "golang.org/x/sys/unix"

const auditArchitecture = unix.AUDIT_ARCH_AARCH64

var refusedHere = []uint32{unix.SYS_RENAMEAT}
