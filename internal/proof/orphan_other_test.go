//go:build !linux

package proof

import "syscall"

// dyingWithUs has no help from kernels other than Linux.
func dyingWithUs() *syscall.SysProcAttr { return nil }
