/* The edits are found by walking through a grid whose columns are the lines before and whose
 * rows are the lines after. A step to the right takes a line out, a step down puts one in, a
 * diagonal one goes past a line that both have, for nothing. `reach[k]` is how far a path with
 * so many edits has come on the diagonal k = column - row; for each number of edits the reaches
 * are kept, so that the path can be walked back from its end.
 *
 * What both texts begin and end with is left out of the grid. */

#include "clients/ctxctl/line_diff.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* ---- Lines. ------------------------------------------------------------------ */

static void lines_split(struct ctl_pool *pool, struct ctl_bytes text, struct ctl_lines *ret_lines)
{
    const char *at = text.data;
    const char *end = at + text.size;
    size_t count = 0;

    for (size_t i = 0; i < text.size; i++) {
        count += at[i] == '\n';
    }
    ret_lines->ends = text.size > 0 && end[-1] == '\n';
    ret_lines->count = count + (text.size > 0 && !ret_lines->ends ? 1 : 0);
    ret_lines->items = ctl_pool_alloc(pool, ret_lines->count * sizeof *ret_lines->items);
    for (size_t i = 0; i < ret_lines->count; i++) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        size_t size = (size_t)((line_end != NULL ? line_end : end) - at);

        ret_lines->items[i] = (struct ctl_bytes){at, size};
        at += size + 1;
    }
}

/* The hashes of the lines, which decide most comparisons. */
static uint64_t *lines_hash(struct ctl_pool *pool, const struct ctl_lines *lines)
{
    uint64_t *hashes = ctl_pool_alloc(pool, lines->count * sizeof *hashes);

    for (size_t i = 0; i < lines->count; i++) {
        hashes[i] = XXH3_64bits(lines->items[i].data, lines->items[i].size);
    }
    return hashes;
}

/* ---- The grid. --------------------------------------------------------------- */

struct grid {
    const struct ctl_lines *before;
    const struct ctl_lines *after;
    const uint64_t *before_hashes;
    const uint64_t *after_hashes;
    size_t skipped; /* What both begin with. */
    size_t columns; /* Lines before, from there on. */
    size_t rows;
};

static bool is_same(const struct grid *grid, size_t before, size_t after)
{
    struct ctl_bytes a = grid->before->items[before];
    struct ctl_bytes b = grid->after->items[after];

    return grid->before_hashes[before] == grid->after_hashes[after] && a.size == b.size &&
           (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static void grid_trim(struct grid *grid)
{
    size_t columns = grid->before->count;
    size_t rows = grid->after->count;
    size_t skipped = 0;

    while (skipped < columns && skipped < rows && is_same(grid, skipped, skipped)) {
        skipped++;
    }
    while (columns > skipped && rows > skipped && is_same(grid, columns - 1, rows - 1)) {
        columns--;
        rows--;
    }
    grid->skipped = skipped;
    grid->columns = columns - skipped;
    grid->rows = rows - skipped;
}

/* ---- The way through it. ----------------------------------------------------- */

/* The reaches after `d` edits, of the diagonals -d to d; row `d` begins at d * d. */
struct reaches {
    int32_t *items;
    size_t capacity;
};

static int32_t *reach_at(const struct reaches *reaches, int32_t d, int32_t k)
{
    size_t index = (size_t)d * (size_t)d + (size_t)(k + d);

    assert(-d <= k && k <= d && index < reaches->capacity);
    return &reaches->items[index];
}

/* Whether the best path to diagonal `k` with `d` edits ends with a step down. */
static bool comes_down(const struct reaches *reaches, int32_t d, int32_t k)
{
    return k == -d ||
           (k != d && *reach_at(reaches, d - 1, k - 1) < *reach_at(reaches, d - 1, k + 1));
}

/* The column that the last edit leads to. One beyond the grid does no harm: what leaves the
 * grid comes to the last diagonal later than what stays inside. */
static int32_t step(const struct reaches *reaches, int32_t d, int32_t k)
{
    if (d == 0) {
        return 0;
    }
    return comes_down(reaches, d, k) ? *reach_at(reaches, d - 1, k + 1)
                                     : *reach_at(reaches, d - 1, k - 1) + 1;
}

/* Makes room for the reaches after `d` edits. */
static void reaches_grow(struct reaches *reaches, int32_t d)
{
    size_t needed = (size_t)(d + 1) * (size_t)(d + 1);

    if (needed > reaches->capacity) {
        reaches->capacity = 2 * needed;
        reaches->items = ctl_realloc(reaches->items, reaches->capacity * sizeof *reaches->items);
    }
}

/* Fills the reaches until the far corner. Returns how many edits it takes, -1 when they are
 * too many. */
static int32_t reaches_find(const struct grid *grid, struct reaches *reaches)
{
    int32_t columns = (int32_t)grid->columns;
    int32_t rows = (int32_t)grid->rows;
    int64_t steps = 0;

    for (int32_t d = 0; d <= CTL_DIFF_LINES_MAX && steps <= CTL_DIFF_STEPS_MAX; d++) {
        reaches_grow(reaches, d);
        for (int32_t k = -d; k <= d; k += 2) {
            int32_t x = step(reaches, d, k);

            while (x < columns && x - k < rows &&
                   is_same(grid, grid->skipped + (size_t)x, grid->skipped + (size_t)(x - k))) {
                x++;
            }
            steps += x - step(reaches, d, k) + 1;
            *reach_at(reaches, d, k) = x;
            if (x >= columns && x - k >= rows) {
                return d;
            }
        }
    }
    return -1;
}

/* ---- The changes. ------------------------------------------------------------ */

/* Changes as they are found on the way back: the last one first. */
struct changes {
    struct ctl_line_change *items;
    size_t count;
};

/* Puts an edit before those that are there: joins it to the first where they touch. */
static void edit_add(struct changes *changes, size_t before, size_t after, bool down)
{
    struct ctl_line_change *next = changes->count > 0 ? &changes->items[changes->count - 1] : NULL;
    size_t before_end = before + (down ? 0 : 1);
    size_t after_end = after + (down ? 1 : 0);

    if (next == NULL || next->before.first != before_end || next->after.first != after_end) {
        next = &changes->items[changes->count++];
        *next = (struct ctl_line_change){{before_end, 0}, {after_end, 0}};
    }
    next->before.count += next->before.first - before;
    next->after.count += next->after.first - after;
    next->before.first = before;
    next->after.first = after;
}

static void walk_back(const struct grid *grid, const struct reaches *reaches, int32_t edits,
                      struct changes *changes)
{
    int32_t k = (int32_t)grid->columns - (int32_t)grid->rows;

    for (int32_t d = edits; d > 0; d--) {
        bool down = comes_down(reaches, d, k);
        int32_t x = step(reaches, d, k); /* Behind the edit. */
        int32_t y = x - k;

        x -= down ? 0 : 1;
        y -= down ? 1 : 0;
        edit_add(changes, grid->skipped + (size_t)x, grid->skipped + (size_t)y, down);
        k += down ? 1 : -1;
    }
}

static void changes_reverse(struct changes *changes)
{
    for (size_t i = 0; i < changes->count / 2; i++) {
        struct ctl_line_change other = changes->items[changes->count - 1 - i];

        changes->items[changes->count - 1 - i] = changes->items[i];
        changes->items[i] = other;
    }
}

void ctl_lines_compare(struct ctl_pool *pool, struct ctl_bytes before, struct ctl_bytes after,
                       struct ctl_line_diff *ret_diff)
{
    struct grid grid = {.before = &ret_diff->before, .after = &ret_diff->after};
    struct reaches reaches = {0};
    struct changes changes = {0};
    int32_t edits = -1;

    lines_split(pool, before, &ret_diff->before);
    lines_split(pool, after, &ret_diff->after);
    grid.before_hashes = lines_hash(pool, &ret_diff->before);
    grid.after_hashes = lines_hash(pool, &ret_diff->after);
    grid_trim(&grid);
    if (grid.columns < INT32_MAX / 2 && grid.rows < INT32_MAX / 2) {
        edits = reaches_find(&grid, &reaches);
    }
    changes.items = ctl_pool_alloc(pool, (edits > 0 ? (size_t)edits : 1) * sizeof *changes.items);
    if (edits >= 0) {
        walk_back(&grid, &reaches, edits, &changes);
        changes_reverse(&changes);
    } else {
        changes.items[changes.count++] = (struct ctl_line_change){
            {grid.skipped, grid.columns},
            {grid.skipped, grid.rows},
        };
    }
    free(reaches.items);
    ret_diff->changes = changes.items;
    ret_diff->change_count = changes.count;
}
