/* Floating point as a compiler makes it: planets in double precision (FMADD, FSQRT, FDIV), a system of linear equations by
 * elimination, and a product of matrices in vectors of four floats. It prints the bits of what it finds. About 36 million
 * instructions on core 0; repeat=N times as many. */
#include "guest.h"
#include "option.h"

#ifndef STEPS
#define STEPS 60000
#endif

typedef float float4 __attribute__((vector_size(16)));
union bits { double number; u64 word; };
union word { float number; u32 word; };

static u64 bits_of(double number) { return (union bits){.number = number}.word; }
static u32 word_of(float number) { return (union word){.number = number}.word; }

struct body { double x, y, z, vx, vy, vz, mass; };

#define BODIES 5
#define SOLAR_MASS 39.47841760435743
#define DAYS 365.24
/* Sun, Jupiter, Saturn, Uranus, Neptune: places in astronomical units, velocities in units a day. */
static struct body bodies[BODIES] = {
    {0, 0, 0, 0, 0, 0, SOLAR_MASS},
    {4.84, -1.16, -0.104, 0.00166 * DAYS, 0.0077 * DAYS, -0.000069 * DAYS, 0.000955 * SOLAR_MASS},
    {8.34, 4.12, -0.404, -0.00277 * DAYS, 0.005 * DAYS, 0.000023 * DAYS, 0.000286 * SOLAR_MASS},
    {12.9, -15.1, -0.223, 0.00296 * DAYS, 0.00238 * DAYS, -0.0000297 * DAYS, 0.0000437 * SOLAR_MASS},
    {15.4, -25.9, 0.179, 0.00268 * DAYS, 0.00163 * DAYS, -0.0000952 * DAYS, 0.0000515 * SOLAR_MASS},
};

static void advance(double dt) {
    for (int i = 0; i < BODIES; i++) {
        struct body *a = &bodies[i];
        for (int j = i + 1; j < BODIES; j++) {
            struct body *b = &bodies[j];
            double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
            double squared = dx * dx + dy * dy + dz * dz;
            double magnitude = dt / (squared * __builtin_sqrt(squared));
            a->vx -= dx * b->mass * magnitude;
            a->vy -= dy * b->mass * magnitude;
            a->vz -= dz * b->mass * magnitude;
            b->vx += dx * a->mass * magnitude;
            b->vy += dy * a->mass * magnitude;
            b->vz += dz * a->mass * magnitude;
        }
    }
    for (int i = 0; i < BODIES; i++) {
        bodies[i].x += dt * bodies[i].vx;
        bodies[i].y += dt * bodies[i].vy;
        bodies[i].z += dt * bodies[i].vz;
    }
}

static double energy(void) {
    double sum = 0;
    for (int i = 0; i < BODIES; i++) {
        struct body *a = &bodies[i];
        sum += 0.5 * a->mass * (a->vx * a->vx + a->vy * a->vy + a->vz * a->vz);
        for (int j = i + 1; j < BODIES; j++) {
            struct body *b = &bodies[j];
            double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
            sum -= a->mass * b->mass / __builtin_sqrt(dx * dx + dy * dy + dz * dz);
        }
    }
    return sum;
}

#define UNKNOWNS 96
static double matrix[UNKNOWNS][UNKNOWNS + 1];

/* Elimination without pivots: the diagonal is the largest of its row. */
static double solve(void) {
    u32 seed = 1;
    for (int i = 0; i < UNKNOWNS; i++) {
        for (int j = 0; j <= UNKNOWNS; j++) {
            seed = seed * 1664525 + 1013904223;
            matrix[i][j] = (double)(int)(seed >> 16) / 65536.0 + (i == j ? UNKNOWNS : 0);
        }
    }
    for (int k = 0; k < UNKNOWNS; k++) {
        for (int i = k + 1; i < UNKNOWNS; i++) {
            double factor = matrix[i][k] / matrix[k][k];
            for (int j = k; j <= UNKNOWNS; j++) matrix[i][j] -= factor * matrix[k][j];
        }
    }
    double sum = 0;
    for (int i = UNKNOWNS - 1; i >= 0; i--) {
        double value = matrix[i][UNKNOWNS];
        for (int j = i + 1; j < UNKNOWNS; j++) value -= matrix[i][j] * matrix[j][UNKNOWNS];
        matrix[i][UNKNOWNS] = value / matrix[i][i];
        sum += matrix[i][UNKNOWNS];
    }
    return sum;
}

#define SIDE 128
static float4 left[SIDE][SIDE / 4], right[SIDE][SIDE / 4], product[SIDE][SIDE / 4];

static float multiply(void) {
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            left[i][j / 4][j % 4] = (float)(i + j) / 3;
            right[i][j / 4][j % 4] = (float)(i - j) / 7;
        }
    }
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE / 4; j++) {
            float4 sum = {0, 0, 0, 0};
            for (int k = 0; k < SIDE; k++) sum += left[i][k / 4][k % 4] * right[k][j];
            product[i][j] = sum;
        }
    }
    float trace = 0;
    for (int i = 0; i < SIDE; i++) trace += product[i][i / 4][i % 4];
    return trace;
}

static void compute(void) {
    double before = energy();
    for (int step = 0; step < STEPS; step++) advance(0.01);
    print("nbody: %u steps, energy %016lx before, %016lx after\n", (u32)STEPS, bits_of(before), bits_of(energy()));
    print("linear equations: sum of %u unknowns %016lx\n", (u32)UNKNOWNS, bits_of(solve()));
    print("product of matrices: trace %08x\n", word_of(multiply()));
}

int guest(void) {
    for (u64 n = option("repeat", 1); n > 0; n--) {
        compute();
    }
    return 0;
}
