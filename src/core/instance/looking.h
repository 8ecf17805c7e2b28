/* Those who look at instances from outside, at any moment and without the interpreter, hold this lock for reading; who takes
 * an instance away holds it for writing. A statedump comes when it likes, and does not know what is about to be freed. */
#ifndef GLUPY_LOOKING_H
#define GLUPY_LOOKING_H

void glupy_look_begin(void);
void glupy_look_end(void);

/* While it is barred, nobody looks at any instance. The interpreter may be held. */
void glupy_look_bar(void);
void glupy_look_unbar(void);

#endif
