/* The limit: the work of replay_mlp.c, blocked over samples and neurons so that sums stay in registers.

   128 samples at a time go through a layer before the next one begins; products are computed in
   tiles of 4 neurons by 2 registers of samples, and the derivatives of weights in tiles of 4 by 4,
   whose sums over the samples meet memory once a block. Relu only; flags as there. */
#include <string.h>

#define H 16
#define N1 (H * 3)
#define N2 (H * (H + 1))
#define P (N1 + N2 + H + 1)
#define B 8 /* numbers in a vector: two registers without AVX-512 */
#define S 16 /* vectors of samples in a block */
typedef double vec __attribute__((vector_size(8 * B)));
typedef long long mask __attribute__((vector_size(8 * B)));
#define WHERE(condition, a) ((vec)((condition) & (mask)(a))) /* a where it holds, else 0 */
#define EACH(i, n) for (int i = 0; i < (n); i++)

double loss_and_gradient(const double *restrict X, const double *restrict y, long n,
                         const double *restrict p, double *restrict g)
{
    vec acc[P], total = {0};
    const double *p2 = p + N1, *p3 = p2 + N2;
    memset(acc, 0, sizeof acc);
    for (long start = 0; start < n; start += B * S) {
        vec x[2][S], t[S], live[S], h1[H][S], h2[H][S], e2[H][S], e1[H][S], d[S];
        int used = n - start < B * S ? (int)((n - start + B - 1) / B) : S;
        used += used & 1; /* tiles are two vectors wide */
        EACH(s, used) EACH(k, B) {
            long at = start + s * B + k, i = at < n ? at : n - 1;
            live[s][k] = at < n ? 1.0 : 0.0;
            x[0][s][k] = X[2 * i], x[1][s][k] = X[2 * i + 1], t[s][k] = y[i];
        }
        EACH(j, H) EACH(s, used) {
            vec z = p[3 * j + 2] + p[3 * j] * x[0][s] + p[3 * j + 1] * x[1][s];
            h1[j][s] = WHERE(z > 0.0, z);
        }
        for (int j = 0; j < H; j += 4) for (int s = 0; s < used; s += 2) {
            const double *w = p2 + j * (H + 1);
            vec z[4][2];
            EACH(a, 4) EACH(b, 2) z[a][b] = (vec){0} + w[a * (H + 1) + H];
            EACH(i, H) EACH(a, 4) EACH(b, 2) z[a][b] += w[a * (H + 1) + i] * h1[i][s + b];
            EACH(a, 4) EACH(b, 2) h2[j + a][s + b] = WHERE(z[a][b] > 0.0, z[a][b]);
        }
        EACH(s, used) {
            vec z = (vec){0} + p3[H];
            EACH(j, H) z += p3[j] * h2[j][s];
            vec margin = 1.0 - t[s] * z;
            total += WHERE(margin > 0.0, margin * live[s]);
            d[s] = WHERE(margin > 0.0, -t[s] * live[s]);
            acc[N1 + N2 + H] += d[s];
        }
        EACH(j, H) EACH(s, used) {
            e2[j][s] = WHERE(h2[j][s] > 0.0, d[s] * p3[j]);
            acc[N1 + N2 + j] += d[s] * h2[j][s], acc[N1 + j * (H + 1) + H] += e2[j][s];
        }
        for (int j = 0; j < H; j += 4) for (int i = 0; i < H; i += 4) {
            vec a[4][4], *to = acc + N1 + j * (H + 1) + i;
            EACH(b, 4) EACH(c, 4) a[b][c] = to[b * (H + 1) + c];
            EACH(s, used) EACH(b, 4) EACH(c, 4) a[b][c] += e2[j + b][s] * h1[i + c][s];
            EACH(b, 4) EACH(c, 4) to[b * (H + 1) + c] = a[b][c];
        }
        for (int i = 0; i < H; i += 4) for (int s = 0; s < used; s += 2) {
            vec z[4][2] = {0};
            EACH(j, H) EACH(a, 4) EACH(b, 2) z[a][b] += p2[j * (H + 1) + i + a] * e2[j][s + b];
            EACH(a, 4) EACH(b, 2) e1[i + a][s + b] = WHERE(h1[i + a][s + b] > 0.0, z[a][b]);
        }
        EACH(j, H) EACH(s, used) {
            vec e = e1[j][s];
            acc[3 * j] += e * x[0][s], acc[3 * j + 1] += e * x[1][s], acc[3 * j + 2] += e;
        }
    }
    double sum = 0.0;
    EACH(k, B) sum += total[k];
    EACH(i, P) {
        double v = 0.0;
        EACH(k, B) v += acc[i][k];
        g[i] = v / n;
    }
    return sum / n;
}
