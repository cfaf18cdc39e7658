package iproute

import (
	"errors"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Commands of bpf(2) and what they are told here (linux/bpf.h).
const (
	bpfProgLoad   = 5
	bpfProgAttach = 8

	bpfCgroupSock           = 9 // the type of program that sees a socket being made
	bpfInetSockCreate       = 2
	bpfMoveNumber           = 0xb7 // 64 bits of a register become a number
	bpfStoreWord            = 0x63 // 32 bits of a register go into memory
	bpfExit                 = 0x95
	bpfContext        uint8 = 1 // the register that points to struct bpf_sock, which begins with bound_dev_if
)

// A bpfInstruction is struct bpf_insn. The target is in the register's lower half.
type bpfInstruction struct {
	code      uint8
	registers uint8
	offset    int16
	number    int32
}

// bindProgram lets every socket be made, bound to a link.
func bindProgram(index int) []bpfInstruction {
	const verdict, value = 0, 3
	return []bpfInstruction{
		{code: bpfMoveNumber, registers: value, number: int32(index)},
		{code: bpfStoreWord, registers: bpfContext | value<<4},
		{code: bpfMoveNumber, registers: verdict, number: 1},
		{code: bpfExit},
	}
}

// bindSockets has the kernel bind the sockets of the processes in a folder to a link. The folder keeps the program.
func bindSockets(folder string, index int) {
	fd, err := unix.Open(folder, unix.O_DIRECTORY|unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		die("Failed to open cgroup path: '%s'", errnoText(err))
	}
	defer unix.Close(fd)
	prog, err := loadProgram(bindProgram(index))
	if err != nil {
		text := "Failed to load BPF prog: '" + errnoText(err) + "'"
		if !errors.Is(err, unix.EPERM) {
			text += "\n(hint: it takes CONFIG_CGROUP_BPF)"
		}
		die("%s", text)
	}
	defer unix.Close(prog)
	attach := struct{ target, program, typ, flags uint32 }{uint32(fd), uint32(prog), bpfInetSockCreate, 0}
	if _, err := bpf(bpfProgAttach, unsafe.Pointer(&attach), unsafe.Sizeof(attach)); err != nil {
		die("Failed to attach prog to cgroup: '%s'", errnoText(err))
	}
}

func loadProgram(program []bpfInstruction) (int, error) {
	license := []byte("GPL\x00")
	load := struct {
		typ, count             uint32
		instructions, license  uint64
		logLevel, logSize      uint32
		log                    uint64
		kernelVersion, flags   uint32
		name                   [16]byte
		link, expectedAttached uint32
	}{
		typ: bpfCgroupSock, count: uint32(len(program)),
		instructions:     uint64(uintptr(unsafe.Pointer(&program[0]))),
		license:          uint64(uintptr(unsafe.Pointer(&license[0]))),
		expectedAttached: bpfInetSockCreate,
	}
	fd, err := bpf(bpfProgLoad, unsafe.Pointer(&load), unsafe.Sizeof(load))
	runtime.KeepAlive(program)
	runtime.KeepAlive(license)
	return fd, err
}

func bpf(command uintptr, what unsafe.Pointer, size uintptr) (int, error) {
	n, _, errno := unix.Syscall(unix.SYS_BPF, command, uintptr(what), size)
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}
