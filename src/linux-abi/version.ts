// What this kernel says that it is: a Linux of a version whose calls it knows.

export const release = '6.1.0';
export const versionText = '#1 SMP Heddle';
