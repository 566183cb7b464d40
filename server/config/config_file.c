/* The YAML file: one mapping of names to plain values. */

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <yaml.h>

#include "server/config/setting.h"

/* A place in the file, for people: "contextd.yaml:3". */
static void place(const struct cx_config *config, unsigned line, char *ret_text, size_t size)
{
    snprintf(ret_text, size, "%.512s:%u", config->file, line);
}

static void take_pair(struct cx_config *config, const yaml_node_t *key, const yaml_node_t *value,
                      struct cx_config_problems *problems)
{
    unsigned line = (unsigned)key->start_mark.line + 1;
    char where[1024];

    place(config, line, where, sizeof where);
    if (key->type != YAML_SCALAR_NODE) {
        cx_config_problem(problems, "%s: a name is expected here", where);
        return;
    }
    const char *name = (const char *)key->data.scalar.value;
    size_t size = strlen(where);
    snprintf(where + size, sizeof where - size, ": %.128s", name);

    const struct cx_setting *setting = cx_setting_find(name);
    if (setting == NULL) {
        cx_config_unknown(where, name, problems);
        return;
    }
    if (value->type != YAML_SCALAR_NODE ||
        strlen((const char *)value->data.scalar.value) != value->data.scalar.length) {
        cx_config_problem(problems, "%s: a plain value is expected here", where);
        return;
    }
    cx_config_set(config, setting, (const char *)value->data.scalar.value,
                  (struct cx_origin){CX_ORIGIN_FILE, line}, where, problems);
}

static void take_document(struct cx_config *config, yaml_document_t *document,
                          struct cx_config_problems *problems)
{
    const yaml_node_t *root = yaml_document_get_root_node(document);

    if (root == NULL) {
        return; /* An empty file says nothing. */
    }
    if (root->type != YAML_MAPPING_NODE) {
        cx_config_problem(problems, "%s: must hold lines of the form `name: value`", config->file);
        return;
    }
    for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++) {
        take_pair(config, yaml_document_get_node(document, pair->key),
                  yaml_document_get_node(document, pair->value), problems);
    }
}

static void complain(const struct cx_config *config, const yaml_parser_t *parser,
                     struct cx_config_problems *problems)
{
    const char *problem = parser->problem != NULL ? parser->problem : "out of memory";
    char where[1024];

    place(config, (unsigned)parser->problem_mark.line + 1, where, sizeof where);
    cx_config_problem(problems, "%s: this is no YAML: %s", where, problem);
}

/* A second document would be settings that nobody reads. */
static void check_end(const struct cx_config *config, yaml_parser_t *parser,
                      struct cx_config_problems *problems)
{
    yaml_document_t document;

    if (!yaml_parser_load(parser, &document)) {
        complain(config, parser, problems);
        return;
    }
    if (yaml_document_get_root_node(&document) != NULL) {
        cx_config_problem(problems, "%s: holds more than one document", config->file);
    }
    yaml_document_delete(&document);
}

static void parse_file(struct cx_config *config, FILE *file, struct cx_config_problems *problems)
{
    yaml_parser_t parser;
    yaml_document_t document;

    if (!yaml_parser_initialize(&parser)) {
        cx_config_problem(problems, "%s: out of memory", config->file);
        return;
    }
    yaml_parser_set_input_file(&parser, file);
    if (!yaml_parser_load(&parser, &document)) {
        complain(config, &parser, problems);
    } else {
        take_document(config, &document, problems);
        yaml_document_delete(&document);
        check_end(config, &parser, problems);
    }
    yaml_parser_delete(&parser);
}

void cx_config_read_file(struct cx_config *config, struct cx_config_problems *problems)
{
    struct stat kind;
    FILE *file = NULL;

    /* A directory opens like a file, and then holds "no YAML". */
    if (stat(config->file, &kind) == 0 && S_ISDIR(kind.st_mode)) {
        errno = EISDIR;
    } else {
        file = fopen(config->file, "re");
    }
    if (file == NULL) {
        cx_config_problem(problems, "%s: cannot be read: %s", config->file, strerror(errno));
        return;
    }
    parse_file(config, file, problems);
    fclose(file);
}
