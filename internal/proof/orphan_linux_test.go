package proof

import "syscall"

// dyingWithUs makes the kernel end a program when this process ends without
// having cleaned up: on a timeout, or when somebody interrupts the proof.
func dyingWithUs() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
