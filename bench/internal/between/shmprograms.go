package between

import (
	"os/exec"
	"sync"
)

// program is a rival in C or C++.
type program struct {
	name  string
	why   string // it cannot be built
	file  string
	flags []string
	path  bool // it meets at a path, and not by a name
}

func programsInC() []program {
	const iceoryx = "/usr/include/iceoryx/v2.0.3"
	why := lacksProgram("iox-roudi", "iceoryx")
	if why == "" {
		why = lacksHeader("g++", "c++", "iceoryx_posh/popo/wait_set.hpp", "libiceoryx-posh-dev", "-I"+iceoryx)
	}
	return []program{
		{"POSIX message queue", lacksLibrary("mqueue.h", "libc6-dev"), "mq.c", []string{"-lrt"}, false},
		{"libzmq over ipc", lacksLibrary("zmq.h", "libzmq3-dev"), "ipc.c", []string{"-lzmq"}, true},
		{"Boost.Interprocess", lacksHeader("g++", "c++", "boost/interprocess/ipc/message_queue.hpp", "libboost-dev"), "boost.cpp", []string{"-lrt", "-pthread"}, false},
		{"iceoryx", why, "iceoryx.cpp", []string{"-I" + iceoryx, "-std=c++17", "-liceoryx_posh", "-liceoryx_hoofs", "-liceoryx_platform", "-pthread"}, false},
	}
}

// crew starts the program twice, as two roles, with more arguments if it takes any.
func (p program) crew(one, other string, roudi func(*Fleet), more ...string) func(*Fleet) crew {
	return func(f *Fleet) crew {
		if p.name == "iceoryx" {
			roudi(f)
		}
		file, at := f.compile(p.file, p.flags...), f.shared()
		if p.path {
			at = f.socket()
		}
		start := func(role string) *process {
			return f.launch(p.file+" "+role, exec.CommandContext(f.ctx, file, append([]string{role, at}, more...)...))
		}
		first := start(one)
		return crew{asked: []*process{first, start(other)}}
	}
}

// once starts the daemon that iceoryx needs, one for all its crews.
func roudiOnce() func(*Fleet) {
	var once sync.Once
	return func(f *Fleet) { once.Do(func() { f.start("roudi") }) }
}
