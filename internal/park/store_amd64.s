//go:build !handoff_portable && !race

#include "textflag.h"

// func Store(word *atomic.Uint32, v uint32)
TEXT ·Store(SB), NOSPLIT, $0-12
	MOVQ word+0(FP), AX
	MOVL v+8(FP), BX
	MOVL BX, (AX)
	RET
