/* The limit that compiled replay is measured against: the same work written by hand in C.

   Loss and gradient of MLP(2, [16, 16, 1]) with hinge loss over a batch, a register of samples at a time
   in vectors of the compiler's. Parameters are in the order of MLP.parameters(): for each neuron
   its weights, then its bias.
   Flags: -O3 -march=native -ffast-math -mprefer-vector-width=512 -fPIC -c (-DTANH) */
#include <math.h>
#include <string.h>

#define H 16
#define N1 (H * 3)
#define N2 (H * (H + 1))
#define P (N1 + N2 + H + 1)
#ifdef __AVX512F__
#define B 8 /* numbers in a vector register */
#else
#define B 4
#endif
typedef double vec __attribute__((vector_size(8 * B)));
typedef long long mask __attribute__((vector_size(8 * B)));
#define WHERE(condition, a) ((vec)((condition) & (mask)(a))) /* a where it holds, else 0 */

#ifdef TANH
static inline vec active(vec s)
{
    vec r;
    for (int k = 0; k < B; k++) r[k] = tanh(s[k]);
    return r;
}
#define SLOPE(a) (1.0 - (a) * (a))
#else
static inline vec active(vec s) { return WHERE(s > 0.0, s); }
#define SLOPE(a) WHERE((a) > 0.0, (vec){0} + 1.0)
#endif

double loss_and_gradient(const double *restrict X, const double *restrict y, long n,
                         const double *restrict p, double *restrict g)
{
    vec acc[P], total = {0};
    const double *p2 = p + N1, *p3 = p2 + N2;
    memset(acc, 0, sizeof acc);
    for (long start = 0; start < n; start += B) {
        vec x0, x1, t, live, h1[H], h2[H], d1[H];
        for (int k = 0; k < B; k++) {
            long i = start + k < n ? start + k : n - 1;
            live[k] = start + k < n ? 1.0 : 0.0;
            x0[k] = X[2 * i], x1[k] = X[2 * i + 1], t[k] = y[i];
        }
        for (int j = 0; j < H; j++)
            h1[j] = active(p[3 * j + 2] + p[3 * j] * x0 + p[3 * j + 1] * x1), d1[j] = (vec){0};
        vec s = (vec){0} + p3[H];
        for (int j = 0; j < H; j++) {
            const double *w = p2 + j * (H + 1);
            vec z = (vec){0} + w[H];
            for (int i = 0; i < H; i++) z += w[i] * h1[i];
            h2[j] = active(z);
            s += p3[j] * h2[j];
        }
        vec margin = 1.0 - t * s;
        total += WHERE(margin > 0.0, margin * live);
        vec d = WHERE(margin > 0.0, -t * live);
        acc[N1 + N2 + H] += d;
        for (int j = 0; j < H; j++) {
            const double *w = p2 + j * (H + 1);
            vec *a = acc + N1 + j * (H + 1);
            acc[N1 + N2 + j] += d * h2[j];
            vec e = d * p3[j] * SLOPE(h2[j]);
            a[H] += e;
            for (int i = 0; i < H; i++) a[i] += e * h1[i], d1[i] += e * w[i];
        }
        for (int j = 0; j < H; j++) {
            vec e = d1[j] * SLOPE(h1[j]);
            acc[3 * j] += e * x0, acc[3 * j + 1] += e * x1, acc[3 * j + 2] += e;
        }
    }
    double sum = 0.0;
    for (int k = 0; k < B; k++) sum += total[k];
    for (int i = 0; i < P; i++) {
        double v = 0.0;
        for (int k = 0; k < B; k++) v += acc[i][k];
        g[i] = v / n;
    }
    return sum / n;
}

/* Full-batch gradient descent: the loss of every step, the parameters changed in place. */
void descend(const double *X, const double *y, long n, double *p, double lr, long steps,
             double *loss)
{
    double g[P];
    for (long step = 0; step < steps; step++) {
        loss[step] = loss_and_gradient(X, y, n, p, g);
        for (int i = 0; i < P; i++) p[i] -= lr * g[i];
    }
}
