//go:build !handoff_portable && !race

#include "textflag.h"

// func Store(word *atomic.Uint32, v uint32)
TEXT ·Store(SB), NOSPLIT, $0-12
	MOVQ word+0(FP), AX
	MOVL v+8(FP), BX
	MOVL BX, (AX)
	RET

// func storeWord(word *atomic.Uintptr, v uintptr)
TEXT ·storeWord(SB), NOSPLIT, $0-16
	MOVQ word+0(FP), AX
	MOVQ v+8(FP), BX
	MOVQ BX, (AX)
	RET
