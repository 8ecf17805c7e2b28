/* What an instance tells of itself, and to whom: one walk, put down by any writer (writer.h). Not attached, and never
 * waiting for the interpreter. */
#ifndef GLUPY_REPORT_H
#define GLUPY_REPORT_H

#include "instance/instance.h"
#include "report/writer.h"

/* Of the requests at rest, how many are shown. */
#define GLUPY_SHOWN 100u

/* Everything; of the requests at rest the `shown` that rest longest. */
void glupy_report(struct glupy_instance *instance, struct glupy_writer *to, unsigned shown);

/* The numbers only. */
void glupy_report_numbers(struct glupy_instance *instance, struct glupy_writer *to);

#endif
