export { IcebergError, type IcebergErrorCode, isIcebergError } from './errors/iceberg-error.ts';
