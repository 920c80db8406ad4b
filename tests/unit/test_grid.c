/* Widths on a screen, wrapping, and tables that fit it. */
#include "core/base/grid.h"
#include "core/base/width.h"
#include "tests/unit/unit.h"
#include <stdlib.h>
#include <string.h>

START_TEST(widths_are_columns_of_the_screen)
{
    static const struct {
        const char *s;
        int width;
    } all[] = {
        { "", 0 },
        { "abc", 3 },
        { "8.50 ± 0.21", 11 },
        { "日本語", 6 },
        { "e\xcc\x81", 1 }, /* a combining accent */
        { "🙂", 2 },
        { "\033[1mbold\033[0m", 4 },
        { "\033[38;5;208m日\033[m", 2 },
        { "\xff\xfe", 2 },     /* no UTF-8 */
        { "\xe6\x97", 2 },     /* a character cut short */
        { "\xed\xa0\x80", 3 }, /* a surrogate is none */
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ck_assert_msg(text_width(all[i].s) == all[i].width, "%s: %d", all[i].s,
                      text_width(all[i].s));
    ck_assert_int_eq(text_width(NULL), 0);
}
END_TEST

static void shown_is(const char *s, const char *want)
{
    struct text t = { 0 };
    text_shown(&t, s, strlen(s));
    ck_assert_str_eq(t.s, want);
    text_clear(&t);
}

START_TEST(foreign_text_moves_no_cursor)
{
    shown_is("a\tb\nc", "a b c");
    shown_is("\033[2Jgone?", "\\x1b[2Jgone?");
    shown_is("\xc2\x9b"
             "2J",
             "\\u009b2J"); /* the one-character form of ESC [ */
    shown_is("\x7f\xff\xe6", "\\x7f\\xff\\xe6");
    shown_is("日本 ±", "日本 ±");
}
END_TEST

static void cut_is(const char *s, int columns, const char *want)
{
    struct text t = { 0 };
    text_cut(&t, s, columns);
    text_add(&t, "");
    ck_assert_str_eq(t.s, want);
    text_clear(&t);
}

START_TEST(lines_are_cut_between_characters)
{
    cut_is("abcdef", 6, "abcdef");
    cut_is("abcdef", 5, "abcd…");
    cut_is("日本語", 5, "日本…");
    cut_is("日本語", 4, "日…");
    cut_is("\033[1mabcdef\033[0m", 4, "\033[1mabc…\033[0m"); /* bold ends all the same */
    cut_is("\033[1mabcdef\033[0m", 6, "\033[1mabcdef\033[0m");
    cut_is("ab", 1, "…");
    cut_is("ab", 0, "");
}
END_TEST

static void wrapped_is(const char *s, int columns, const char *want)
{
    struct text t = { 0 };
    text_wrapped(&t, "• ", s, columns);
    ck_assert_str_eq(t.s, want);
    text_clear(&t);
}

START_TEST(notes_are_wrapped_at_words)
{
    wrapped_is("one two three", 0, "• one two three\n");
    wrapped_is("one two three", 9, "• one two\n  three\n");
    wrapped_is("one two three", 8, "• one\n  two\n  three\n");
    wrapped_is("unbreakable", 8, "• unbrea\n  kable\n");
    wrapped_is("path/to/file", 8, "• path/\n  to/\n  file\n");
    wrapped_is("日本語 比較", 8, "• 日本語\n  比較\n");
    wrapped_is("日本語の比較", 8, "• 日本語\n  の比較\n");
    wrapped_is("", 8, "• \n");
}
END_TEST

static const struct grid_column columns[] = {
    { "reduction", false }, { "top-1 error (%)", true }, { "parameters", true }, { "", false }
};
static const struct grid_cell cells[] = {
    { "none", false }, { "11.71 ± 0.11", true },  { "44,014", false }, { "", false },
    { "日本", false }, { "12.50 ± 0.40", false }, { "45,631", false }, { "as none", false },
};

static void drawn_is(const struct grid *g, struct terminal t, const char *want)
{
    struct text out = { 0 };
    grid_draw(&out, g, &t);
    ck_assert_str_eq(out.s, want);
    text_clear(&out);
}

START_TEST(grids_are_one_line_a_row_where_nobody_looks)
{
    const struct grid g = { columns, 4, 2, 1, cells, NULL };
    drawn_is(&g, (struct terminal){ 0 },
             "reduction  top-1 error (%)  parameters\n"
             "none          11.71 ± 0.11      44,014\n"
             "日本          12.50 ± 0.40      45,631  as none\n");
}
END_TEST

START_TEST(grids_fit_the_terminal)
{
    const struct grid g = { columns, 4, 2, 1, cells, NULL };
    drawn_is(&g, (struct terminal){ .is = true, .colour = true, .columns = 80 },
             "reduction  top-1 error (%)  parameters\n"
             "─────────  ───────────────  ──────────  ───────\n"
             "none          \033[1m11.71 ± 0.11\033[0m      44,014\n"
             "日本          12.50 ± 0.40      45,631  as none\n");
    drawn_is(&g, (struct terminal){ .is = true, .columns = 35 }, /* the heading is wrapped */
             "            top-1 error\n"
             "reduction           (%)  parameters\n"
             "─────────  ────────────  ──────────\n"
             "none       11.71 ± 0.11      44,014\n"
             "日本       12.50 ± 0.40      45,631\n"
             "  as none\n");
    drawn_is(&g, (struct terminal){ .is = true, .columns = 23 }, /* and then there are two blocks */
             "            top-1 error\n"
             "reduction           (%)\n"
             "─────────  ────────────\n"
             "none       11.71 ± 0.11\n"
             "日本       12.50 ± 0.40\n"
             "  as none\n"
             "\n"
             "reduction  parameters\n"
             "─────────  ──────────\n"
             "none           44,014\n"
             "日本           45,631\n");
}
END_TEST

/* No line of any grid is wider than its terminal, and no word of it is lost. */
START_TEST(grids_of_long_texts_fit_every_width)
{
    static const struct grid_column wide[] = {
        { "setting", false }, { "default", true }, { "what is valid", false }, { "meaning", false }
    };
    static const struct grid_cell texts[] = {
        { "train.optimizer.weight_decay", false },
        { "0.0001", false },
        { "a number between zero and ten", false },
        { "added to the gradient, times the weight", false },
        { "日本語の長い名前とその説明", false },
        { "-1", false },
        { "全角", false },
        { "x", false },
    };
    static const char *const heads[] = { "train.optimizer, with the name of sgd", NULL };
    const struct grid g = { wide, 4, 2, 1, texts, heads };
    for (int columns_there = 20; columns_there <= 140; columns_there++) {
        struct text out = { 0 };
        grid_draw(&out, &g, &(struct terminal){ .is = true, .columns = columns_there });
        ck_assert_ptr_nonnull(strstr(out.s, "0.0001"));
        ck_assert_ptr_nonnull(strstr(out.s, "gradient,"));
        for (char *line = strtok(out.s, "\n"); line; line = strtok(NULL, "\n"))
            ck_assert_msg(text_width(line) <= columns_there, "%d: %s", columns_there, line);
        text_clear(&out);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("grid");
    unit_case(s, "width", 10,
              UNIT_TESTS(widths_are_columns_of_the_screen, foreign_text_moves_no_cursor,
                         lines_are_cut_between_characters, notes_are_wrapped_at_words));
    unit_case(s, "grid", 20,
              UNIT_TESTS(grids_are_one_line_a_row_where_nobody_looks, grids_fit_the_terminal,
                         grids_of_long_texts_fit_every_width));
    return s;
}
