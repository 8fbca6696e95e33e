/* wire.h - what winnowctl and the daemon say to each other over the control socket
 *
 * The client sends one line of JSON and then `input` bytes:   {"argv": ["classify", "-"], "json": false, "input": 1234}
 * The daemon answers with one line of JSON and then the bytes: {"status": 0, "out": 512, "err": 0}   out bytes for stdout, err bytes for stderr.
 * One question a connection. */
#ifndef WINNOW_WIRE_H
#define WINNOW_WIRE_H

enum {
	WIRE_LINE_MAX = 65536,           /* bytes of a line */
	WIRE_INPUT_MAX = 64 << 20,       /* bytes of input: a message */
	WIRE_ARGS_MAX = 200,
	WIRE_CLIENTS_MAX = 16,           /* at once */
	WIRE_PING_SECONDS = 5,           /* winnowctl ping waits so long for an answer */
	WIRE_LINE_SECONDS = 5,           /* until the line is complete */
	WIRE_TOTAL_SECONDS = 60          /* until the input is complete, and again for the answer */
};

#endif
