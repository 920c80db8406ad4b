#ifndef CLI_HELP_CONFIG_H
#define CLI_HELP_CONFIG_H

/* How an experiment file is written, as one that can be run: rules as comments, then every key. */
void help_config(void);
#endif
